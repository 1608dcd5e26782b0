# First process of a virtual host, already in its own namespaces. It lays out the host's mounts below WORK/root, makes
# that the root, says "ready" and becomes a minimal init.
#   host-init.sh NAME LOWER WORK [SOURCE TARGET rw|ro]…
set -eu
name=$1 lower=$2 work=$3
shift 3
root=$work/root

hostname "$name"
mount --make-rprivate /
mount -t overlay -o "lowerdir=$lower,upperdir=$work/upper,workdir=$work/overlay" overlay "$root"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 net/tun:10:200 fuse:10:229; do
    IFS=: read -r device major minor <<END
$node
END
    mknod -m 666 "$root/dev/$device" c "$major" "$minor"
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/${stream#*:}" "$root/dev/${stream%:*}"; done

# An overlay cannot be an overlay's upper layer, and inotify marks on one cannot be restored: what containers use is plain.
for directory in data var/lib/p2pmigrate var/lib/containers var/lib/lxc; do
    mkdir -p "$root/$directory" "$work/plain/$directory"
    mount --bind "$work/plain/$directory" "$root/$directory"
done

while [ $# -gt 0 ]; do
    if [ -d "$1" ]; then mkdir -p "$root/$2"; else mkdir -p "$root/$(dirname "$2")"; [ -e "$root/$2" ] || : > "$root/$2"; fi
    mount --bind "$1" "$root/$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root/$2"
    shift 3
done

echo "$name" > "$root/etc/hostname"
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" > "$root/etc/hosts"

# The root of a cgroup namespace stays free of processes, or no controller could be turned on below it.
mkdir -p "$root/sys/fs/cgroup/init"
echo 0 > "$root/sys/fs/cgroup/init/cgroup.procs"

cd "$root"
pivot_root . .
umount -l .
cd /
echo ready
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    tini -- sleep infinity < /dev/null > /dev/null 2>&1
