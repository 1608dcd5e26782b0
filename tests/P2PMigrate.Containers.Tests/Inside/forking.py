# Fills so many megabytes of private memory and, when asked, forks so many children, one after the other, that end at once: /ready says that it is filled, /check asks, /checked answers.
import mmap, os, sys, time

size, children = int(sys.argv[1]) << 20, int(sys.argv[2])
memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.write(os.urandom(size))
open("/ready", "w").close()
while not os.path.exists("/check"):
    time.sleep(0.01)
for _ in range(children):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
with open("/checked.new", "w") as answer:
    answer.write("%d children" % children)
os.rename("/checked.new", "/checked")
time.sleep(1000)
