# What moves: answers a datagram with its own bytes, and only if all of it works. It may hold memory and dirty it at a rate, keep a redis
# and write into it at a rate, have idle children, and read so many of its pages a second, in any order, and note how long it waited for each. Arguments: name=number.
import ctypes, mmap, os, random, socket, subprocess, sys, threading, time

want = dict(memory=0, dirty=0, redis=0, write=0, children=0, touch=0)
want.update((name, int(number)) for name, number in (word.split("=") for word in sys.argv[1:]))
PAGE, MEGABYTE = 4096, 1 << 20

for _ in range(want["children"]):
    if os.fork() == 0:
        block = bytearray(os.urandom(MEGABYTE))
        while True:
            time.sleep(3600)

held = None
if want["memory"]:
    held = mmap.mmap(-1, want["memory"] * MEGABYTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(held), MEGABYTE):
        held[at:at + MEGABYTE] = os.urandom(MEGABYTE)

TOUCHERS = 64  # each waits for one page at a time
waits = []


def touch(base, pages):
    libc, spot = ctypes.CDLL(None), ctypes.create_string_buffer(1)
    while True:
        for page in pages:
            time.sleep(TOUCHERS / want["touch"])
            before = time.monotonic()
            libc.memcpy(spot, ctypes.c_void_p(base + page * PAGE), 1)  # others go on meanwhile
            waited = time.monotonic() - before
            if waited > 0.001:
                waits.append(waited * 1000)


def note_waits():
    while True:
        time.sleep(0.5)
        seen = sorted(waits)
        if seen:
            with open("/waits.new", "w") as file:
                file.write("%d %.1f %.1f" % (len(seen), seen[len(seen) // 2], seen[len(seen) * 99 // 100]))
            os.rename("/waits.new", "/waits")


if want["touch"]:
    start = ctypes.addressof(ctypes.c_char.from_buffer(held))
    order = random.sample(range(len(held) // PAGE), len(held) // PAGE)
    for one in range(TOUCHERS):
        threading.Thread(target=touch, args=(start, order[one::TOUCHERS]), daemon=True).start()
    threading.Thread(target=note_waits, daemon=True).start()

redis = None
if want["redis"]:
    subprocess.Popen(["redis-server", "--port", "6379", "--save", "", "--appendonly", "no"])
    while redis is None:
        try:
            redis = socket.create_connection(("127.0.0.1", 6379))
        except OSError:
            time.sleep(0.01)


def ask(*words):
    redis.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
    return redis.recv(4096)


def put(number):
    ask(b"SET", b"key:%d" % number, os.urandom(64 << 10))


keys = want["redis"] * 16
for number in range(keys):
    put(number)

door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind(("0.0.0.0", 7))
door.settimeout(0.002)
done, since = 0, time.monotonic()
while True:
    try:
        word, sender = door.recvfrom(64)
        if redis is None or ask(b"PING").startswith(b"+PONG"):
            door.sendto(word, sender)
    except TimeoutError:
        pass
    due = int((time.monotonic() - since) * (want["dirty"] or want["write"]) * MEGABYTE)
    for _ in range(64):
        if done >= due:
            break
        if held is not None and want["dirty"]:
            at = random.randrange(len(held) // PAGE) * PAGE
            held[at:at + 64] = os.urandom(64)
            done += PAGE
        elif redis is not None:
            put(random.randrange(keys))
            done += 64 << 10
            break
