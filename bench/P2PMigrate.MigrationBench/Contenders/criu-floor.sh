# Whatever fails ends the script, and then nothing may go on waiting for the other side.
trap 'kill $dump $lazy 2> /dev/null || :' EXIT
now() { date +%s%N; }
images=/tmp/floor; rm -rf $images; mkdir $images
pid=$(runc state $NAME | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
net=$(stat -L -c %i /proc/$pid/ns/net)
mountpoint -q $BUNDLE/rootfs || mount --bind $BUNDLE/rootfs $BUNDLE/rootfs
common="-D $images -W $images -v1 --manage-cgroups=ignore --tcp-established --ext-unix-sk --file-locks --network-lock skip"
external="--external net[$net]:extRootNetNS"
restore="criu restore -d $common --pidfile $images/pid --root $BUNDLE/rootfs --inherit-fd fd[9]:extRootNetNS"
if [ -n "$LAZY" ]; then
    # The frozen copy keeps its ports until its last page is gone: the other one gets a network of its own, with the same address.
    echo 268435456 > /proc/sys/fs/pipe-max-size
    address=$(ip -n $NAME -o -4 address show eth0 | sed 's/.* inet \([^ ]*\) .*/\1/')
    mac=$(ip -n $NAME -o link show eth0 | sed 's/.*ether \([^ ]*\) .*/\1/')
    bridge=$(basename $(readlink /sys/class/net/vc-$NAME/master))
    ip netns add floor
    ip -n floor link set lo up
    ip link add vc-floor type veth peer name eth0 address $mac netns floor
    ip -n floor address add $address dev eth0
    ip -n floor link set eth0 up
    gateway=$(ip -n $NAME route show default | cut -d' ' -f3)
    ip -n floor route add default via $gateway
    # Else its first answer may wait a second for the gateway's address, which is nothing that CRIU does. A bridge changes its address with its ports unless it is told one.
    gateway_mac=$(cat /sys/class/net/$bridge/address)
    ip link set $bridge address $gateway_mac
    ip -n floor neighbour replace $gateway lladdr $gateway_mac dev eth0 nud permanent
    mkfifo $images/status
    start=$(now)
    ip link set vc-$NAME nomaster down
    criu dump -t $pid $common $external --lazy-pages --address 127.0.0.1 --port 27000 --status-fd 9 9>$images/status &
    dump=$!
    timeout 20 head -c1 $images/status > /dev/null
    dumped=$(now)
    criu lazy-pages --page-server --address 127.0.0.1 --port 27000 -D $images -W $images -v1 &
    lazy=$!
    while [ ! -S $images/lazy-pages.socket ]; do kill -0 $lazy; done
    $restore --lazy-pages 9</run/netns/floor
    ip link set vc-floor up master $bridge
    end=$(now)
    wait $dump $lazy
else
    start=$(now)
    criu dump -t $pid $common $external
    dumped=$(now)
    $restore 9</run/netns/$NAME
    end=$(now)
fi
echo "dump $(((dumped - start) / 1000000))"
echo "restore $(((end - dumped) / 1000000))"
