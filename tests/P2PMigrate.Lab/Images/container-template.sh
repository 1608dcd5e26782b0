# Runs inside a virtual host's root file system and makes two root file systems for containers, small enough to be copied
# for each of them: /container holds redis, Python, a shell and what these load; /system has systemd as its init, and sshd.
set -eu
programs="redis-server redis-cli python3 sh bash cat cp date dd echo env kill ln ls mkdir mv ps rm sleep stat sync tail touch tr true truncate seq"
system_programs="systemctl systemd-tmpfiles journalctl mount umount sshd sh bash cat chmod cp cut date echo env false grep head kill ln ls mkdir mv ps readlink rm sed setsid sleep stat sync tail touch tr true wc"

# Begins a root file system at $root with the programs that follow.
begin() {
    root=$1
    shift
    mkdir -p $root/usr/bin $root/usr/lib $root/usr/lib64 $root/usr/sbin
    for link in bin lib lib64 sbin; do ln -s usr/$link $root/$link; done
    for directory in dev proc sys run etc var/lib var/log srv opt root home; do mkdir -p $root/$directory; done
    mkdir -p -m 1777 $root/tmp $root/var/tmp
    cp /etc/passwd /etc/group /etc/nsswitch.conf $root/etc/
    mkdir -p $root/usr/lib/locale
    cp -a /usr/lib/locale/C.utf8 $root/usr/lib/locale/
    printf '127.0.0.1 localhost\n::1 localhost\n' > $root/etc/hosts
    for program in "$@"; do
        take_with_libraries "$(find /usr/bin /usr/sbin -name "$program" | head -n 1)"
    done
}

# Copies a file to its place below $root, behind every symbolic link on the way.
take() {
    real=$(readlink -f "$1")
    mkdir -p "$root$(dirname "$real")"
    [ -e "$root$real" ] || cp -a "$real" "$root$real"
    [ "$real" = "$1" ] || [ -e "$root$1" ] || { mkdir -p "$root$(dirname "$1")"; ln -s "$real" "$root$1"; }
}

take_libraries() {
    ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do take "$library"; done
}

take_with_libraries() {
    take "$1"
    take_libraries "$1"
}

begin /container $programs
python=$(readlink -f "/usr/bin/python3")
cp -a "/usr/lib/$(basename "$python")" $root/usr/lib/
rm -rf "$root/usr/lib/$(basename "$python")"/test "$root/usr/lib/$(basename "$python")"/idlelib "$root/usr/lib/$(basename "$python")"/ensurepip
find $root/usr/lib -name '*.so' -path '*lib-dynload*' | while read -r module; do take_libraries "$module"; done

begin /system $system_programs
cp -a /usr/lib/systemd /usr/lib/openssh $root/usr/lib/
rm -rf $root/usr/lib/systemd/boot $root/usr/lib/systemd/catalog $root/usr/lib/systemd/network $root/usr/lib/systemd/system-generators $root/usr/lib/systemd/user-generators
find $root/usr/lib/systemd $root/usr/lib/openssh -type f -perm /100 | while read -r program; do take_libraries "$program"; done
find /usr/lib/*/systemd -name 'libsystemd-*.so' | while read -r library; do take_with_libraries "$library"; done
for library in libmount libseccomp libcrypt libaudit libpam libselinux; do # systemd looks for these by itself
    find /usr/lib -name "$library.so.[0-9]" | while read -r file; do take_with_libraries "$file"; done
done
mkdir -p $root/etc/systemd/system
cp -a /etc/ssh /etc/pam.d $root/etc/
ln -s ../lib/systemd/systemd $root/usr/sbin/init
: > $root/etc/machine-id
touch $root/etc/fstab $root/etc/.updated $root/var/.updated

ln -s /dev/null $root/etc/systemd/system/ldconfig.service

# What a person does in a container that shall move (README): no BPF programs, no namespaces of host names and users, which CRIU does not take along, and nobody who
# waits for pressure, of which CRIU takes the file along but not what is waited for.
mkdir -p $root/etc/systemd/system/service.d $root/etc/systemd/system.conf.d
cat > $root/etc/systemd/system.conf.d/movable.conf <<END
[Manager]
DefaultMemoryPressureWatch=off
DefaultCPUPressureWatch=off
DefaultIOPressureWatch=off
END
cat > $root/etc/systemd/system/service.d/zz-movable.conf <<END
[Service]
MemoryPressureWatch=off
CPUPressureWatch=off
IOPressureWatch=off
PrivateDevices=no
PrivateUsers=no
ProtectHostname=no
ProtectClock=no
DevicePolicy=auto
DeviceAllow=
IPAddressAllow=
IPAddressDeny=
RestrictFileSystems=
END
