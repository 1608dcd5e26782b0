# Fills private memory, and, when asked, changes its address space in every way while it reads: forks children that read all of it, moves, gives up and unmaps parts.
# /ready says that it is filled, /check asks, /checked answers with what was wrong.
import ctypes, mmap, os, sys, threading, time

PAGE, PART = 4096, 512 * 4096
MOVE, DONTNEED, WIPEONFORK = 1, 4, 18
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

parts = int(sys.argv[1]) // 2
places = [libc.mmap(None, PART, 3, 0x22, -1, 0) for _ in range(parts)]


def content(part, page):
    return (b"%08d%08d" % (part, page)) * 256


def wrong_in(part, address, empty=False):
    zeros = bytes(PAGE)
    return sum(ctypes.string_at(address + page * PAGE, PAGE) != (zeros if empty else content(part, page)) for page in range(PART // PAGE))


def child(numbers):
    """A child that reads these parts; its exit code says whether they are right."""
    number = os.fork()
    if number == 0:
        os._exit(min(sum(wrong_in(part, places[part]) for part in numbers), 1))
    return number


for part, place in enumerate(places):
    for page in range(PART // PAGE):
        ctypes.memmove(place + page * PAGE, content(part, page), PAGE)
secret = libc.mmap(None, PART, 3, 0x22, -1, 0)
libc.madvise(secret, PART, WIPEONFORK)
ctypes.memmove(secret, b"s" * PART, PART)
open("/ready", "w").close()
while not os.path.exists("/check"):
    time.sleep(0.0005)

guest = os.fork()
if guest == 0:
    os._exit(ctypes.string_at(secret, PART) != bytes(PART))
guest = os.waitpid(guest, 0)[1]
wrong, kinds = [0] * parts, [part % 5 for part in range(parts)]
children = [child(range(parts - 1, -1, -9))]


def change(part):
    place = places[part]
    if kinds[part] == 0:                                       # moved, and read
        places[part] = libc.mremap(place, PART, PART, MOVE) if part % 2 else libc.mremap(place, PART, PART * 2, MOVE)
        wrong[part] = wrong_in(part, places[part])
    elif kinds[part] == 1:                                     # given up, and read as zeros
        libc.madvise(place, PART, DONTNEED)
        wrong[part] = wrong_in(part, place, empty=True)
    elif kinds[part] == 2:                                     # unmapped, and something new in its place
        libc.munmap(place, PART)
        libc.mmap(place, PART, 3, 0x32, -1, 0)
        wrong[part] = wrong_in(part, place, empty=True)
    else:                                                      # only read
        wrong[part] = wrong_in(part, place)


def work(first):
    for part in range(first, parts, 2):
        change(part)


threads = [threading.Thread(target=work, args=(first,)) for first in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
children.append(child([part for part in range(parts) if kinds[part] in (0, 3, 4)]))
codes = [os.waitpid(number, 0)[1] for number in children[1:]]
first = os.waitpid(children[0], 0)[1]
with open("/checked.new", "w") as answer:
    answer.write("%d wrong, children %s %s %s" % (sum(wrong), first, codes, guest))
os.rename("/checked.new", "/checked")
time.sleep(1000)
