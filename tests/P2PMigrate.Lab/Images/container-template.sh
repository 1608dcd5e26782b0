# Runs inside a virtual host's root file system and makes /container: a root file system for containers, small enough
# to be copied for each of them. It holds redis, Python, a shell and what these load.
set -eu
programs="redis-server redis-cli python3 sh bash cat cp date dd echo env kill ln ls mkdir mv ps rm sleep stat sync tail touch tr true truncate seq"
root=/container

mkdir -p $root/usr/bin $root/usr/lib $root/usr/lib64 $root/usr/sbin
for link in bin lib lib64 sbin; do ln -s usr/$link $root/$link; done
for directory in dev proc sys run etc var/lib var/log srv opt root home; do mkdir -p $root/$directory; done
mkdir -p -m 1777 $root/tmp $root/var/tmp
cp /etc/passwd /etc/group /etc/nsswitch.conf $root/etc/
mkdir -p $root/usr/lib/locale
cp -a /usr/lib/locale/C.utf8 $root/usr/lib/locale/
printf '127.0.0.1 localhost\n::1 localhost\n' > $root/etc/hosts

# Copies a file to its place below $root, behind every symbolic link on the way.
take() {
    real=$(readlink -f "$1")
    mkdir -p "$root$(dirname "$real")"
    [ -e "$root$real" ] || cp -a "$real" "$root$real"
    [ "$real" = "$1" ] || [ -e "$root$1" ] || { mkdir -p "$root$(dirname "$1")"; ln -s "$real" "$root$1"; }
}

take_with_libraries() {
    take "$1"
    ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do take "$library"; done
}

for program in $programs; do
    take_with_libraries "$(find /usr/bin /usr/sbin -name "$program" | head -n 1)"
done

python=$(readlink -f "/usr/bin/python3")
cp -a "/usr/lib/$(basename "$python")" $root/usr/lib/
rm -rf "$root/usr/lib/$(basename "$python")"/test "$root/usr/lib/$(basename "$python")"/idlelib "$root/usr/lib/$(basename "$python")"/ensurepip
find $root/usr/lib -name '*.so' -path '*lib-dynload*' | while read -r module; do
    ldd "$module" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do take "$library"; done
done
