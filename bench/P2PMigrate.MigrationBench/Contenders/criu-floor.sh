now() { date +%s%N; }
images=/tmp/floor; rm -rf $images; mkdir $images
pid=$(runc state $NAME | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
net=$(stat -L -c %i /proc/$pid/ns/net)
cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$pid/cgroup)
mountpoint -q $BUNDLE/rootfs || mount --bind $BUNDLE/rootfs $BUNDLE/rootfs
common="-D $images -W $images -v0 --manage-cgroups=ignore --tcp-established --ext-unix-sk --file-locks --network-lock skip"
start=$(now)
if [ -n "$LAZY" ]; then
    echo 268435456 > /proc/sys/fs/pipe-max-size
    mkfifo $images/status
    criu dump -t $pid $common --external net[$net]:extRootNetNS --lazy-pages --address 127.0.0.1 --port 27000 --status-fd 9 9>$images/status &
    dump=$!
    timeout 20 head -c1 $images/status > /dev/null
    dumped=$(now)
    criu lazy-pages --page-server --address 127.0.0.1 --port 27000 -D $images -W $images -v0 &
    lazy=$!
    while [ ! -S $images/lazy-pages.socket ] && kill -0 $lazy; do :; done
    criu restore -d $common --pidfile $images/pid --root $BUNDLE/rootfs --inherit-fd fd[9]:extRootNetNS --lazy-pages 9</run/netns/$NAME
    end=$(now)
    wait $dump $lazy
else
    criu dump -t $pid $common --external net[$net]:extRootNetNS
    dumped=$(now)
    criu restore -d $common --pidfile $images/pid --root $BUNDLE/rootfs --inherit-fd fd[9]:extRootNetNS 9</run/netns/$NAME
    end=$(now)
fi
echo "dump $(((dumped - start) / 1000000))"
echo "restore $(((end - dumped) / 1000000))"
