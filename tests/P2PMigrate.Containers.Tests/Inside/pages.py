# Fills memory, private and shared, with what follows from page and version, rewrites so many pages a second, and checks all of it when
# asked: /ready says that it is filled, /check asks, /checked answers. It stays on one CPU: the kernel writes the number of
# the CPU into memory (rseq) whenever a process has moved, also when CRIU lets it run for a moment during a dump.
# With less than 0 pages a second it fills memory, and touches nothing any more, nor answers.
import mmap, os, random, signal, sys, time

PAGE = 4096
megabytes, rate = int(sys.argv[1]), int(sys.argv[2])
count = megabytes * 256
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
private = mmap.mmap(-1, count * 3 // 4 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, count // 4 * PAGE)
versions = [0] * count
choice = random.Random(1)


def content(page):
    return random.Random(page * 1000003 + versions[page]).randbytes(PAGE)


def place(page):
    split = count * 3 // 4
    return (private, page * PAGE) if page < split else (shared, (page - split) * PAGE)


def write(page):
    memory, offset = place(page)
    memory[offset:offset + PAGE] = content(page)


def is_right(page):
    memory, offset = place(page)
    return memory[offset:offset + PAGE] == content(page)


for page in range(count):
    write(page)
open("/ready", "w").close()
while rate < 0:
    signal.pause()
due = time.monotonic()
while True:
    if os.path.exists("/check"):
        wrong = [page for page in range(count) if not is_right(page)]
        with open("/checked.new", "w") as answer:
            answer.write("%d wrong, %d rewritten" % (len(wrong), sum(versions)))
        os.remove("/check")
        os.rename("/checked.new", "/checked")
    for _ in range(rate // 100):
        page = choice.randrange(count)
        versions[page] += 1
        write(page)
    due = max(due + 0.01, time.monotonic() - 0.1)
    time.sleep(max(0, due - time.monotonic()))
