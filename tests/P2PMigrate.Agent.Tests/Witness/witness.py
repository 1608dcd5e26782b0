# Runs inside the container that moves and can testify afterwards: a counter that lives only in memory, open files at
# certain offsets, memory full of a marker, and a directory that changes all the time and that it remembers exactly.
# One request per connection: a line in, a line of JSON out.
import json, os, random, socket, sys, threading, zlib

marker = sys.argv[1].encode()
megabytes = int(sys.argv[2])
nonce = os.urandom(8).hex()
counter = 0
lock = threading.Lock()

memory = bytearray((marker * (1 + (1 << 20) // len(marker)))[: 1 << 20] * 16)
noise = [os.urandom(1 << 20) for _ in range(megabytes)]
reader = open("/srv/data.txt", "rb", buffering=0)
reader.read(4321)
writer = open("/srv/log.txt", "wb", buffering=0)
writer.write(b"x" * 1234)

os.makedirs("/srv/churn", exist_ok=True)
remembered = {}
churning = True


def churn():
    step = 0
    while True:
        if not churning:
            threading.Event().wait(0.01)
            continue
        step += 1
        with lock:
            name = "f%d" % (step % 50)
            if name in remembered and step % 3 == 0:
                os.unlink("/srv/churn/" + name)
                del remembered[name]
            else:
                text = "%d %s" % (step, "y" * (step % 7000))
                with open("/srv/churn/" + name, "w") as file:
                    file.write(text)
                remembered[name] = text
        threading.Event().wait(0.005)


def count():
    global counter
    while True:
        counter += 1
        threading.Event().wait(0.001)


def self_check():
    with lock:
        found = {name: open("/srv/churn/" + name).read() for name in os.listdir("/srv/churn")}
        wrong = sorted(name for name in set(found) | set(remembered) if found.get(name) != remembered.get(name))
    if memory != bytearray((marker * (1 + (1 << 20) // len(marker)))[: 1 << 20] * 16):
        wrong.append("memory")
    return wrong


def noise_sum():
    # Of memory that nothing else touches.
    total = 0
    for megabyte in noise:
        total = zlib.crc32(megabyte, total)
    return total


def answer(request):
    global churning
    if request == "write":
        writer.write(b"after")
    if request == "still":
        churning = False
    return {
        "nonce": nonce,
        "counter": counter,
        "readOffset": reader.seek(0, os.SEEK_CUR),
        "writeOffset": writer.seek(0, os.SEEK_CUR),
        "wrong": self_check() if request == "check" else [],
        "sum": noise_sum() if request == "sum" else 0,
    }


def watched():
    # Datagrams leave nothing half open in a frozen container.
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.bind(("0.0.0.0", 7001))
    while True:
        request, sender = heard.recvfrom(64)
        heard.sendto(json.dumps(answer(request.decode())).encode(), sender)


added = 0


def add(connection):
    # A client that stays: each line adds one, and is answered by the sum. Only memory knows it.
    global added
    with connection, connection.makefile("rw") as lines:
        try:
            for line in lines:
                added += 1
                print(json.dumps({"sum": added, "nonce": nonce}), file=lines, flush=True)
        except OSError:
            pass


def kept_open():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", 7002))
    listener.listen(16)
    while True:
        threading.Thread(target=add, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=kept_open, daemon=True).start()
threading.Thread(target=watched, daemon=True).start()
threading.Thread(target=churn, daemon=True).start()
threading.Thread(target=count, daemon=True).start()
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", 7000))
server.listen(16)
while True:
    connection, _ = server.accept()
    try:
        request = connection.makefile().readline().strip()
        connection.sendall((json.dumps(answer(request)) + "\n").encode())
    except OSError:
        pass
    connection.close()
