# Runs miniupnpd on a router of the lab: its network is the router's, its files are those of the lab's root file system,
# for the router has none of its own and the machine is to have no such program. The configuration comes on standard input.
#   gateway-init.sh ROOTFS
set -eu
root=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t proc proc "$root/proc"
cat > "$root/run/miniupnpd.conf"
exec chroot "$root" /usr/sbin/miniupnpd -d -f /run/miniupnpd.conf -P /run/miniupnpd.pid < /dev/null
