"""SimPy: generator processes that yield timeouts and requests. Runs on SimPy 3 and 4.

Random numbers come from the same streams as everybody's, drawn before the clock starts: in Python they would cost more
than the simulator.
"""

import json
import math
import sys
import time
from collections import deque

import simpy

SEED = 20210101
TABLE_SIZE = 65536
TABLE_MASK = TABLE_SIZE - 1
TICK_NS = 4_000_000
TO_TICK = -1
U32 = 0xFFFFFFFF


class RandomStream:
    """sfc32, seeded as RandomStream in libs/machine/src/random.ts."""

    def __init__(self, seed, name):
        hashed = 0x811C9DC5
        for ch in name:
            hashed = ((hashed ^ ord(ch)) * 0x01000193) & U32
        s = (seed ^ hashed) & U32

        def following():
            nonlocal s
            s = (s + 0x9E3779B9) & U32
            z = ((s ^ (s >> 16)) * 0x21F0AAAD) & U32
            z = ((z ^ (z >> 15)) * 0x735A2D97) & U32
            return z ^ (z >> 15)

        following()
        self.a = following() ^ hashed
        self.b = following() ^ seed
        self.c = following()
        self.counter = 1
        for _ in range(12):
            self.uniform()

    def uniform(self):
        result = (self.a + self.b + self.counter) & U32
        self.counter = (self.counter + 1) & U32
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & U32
        self.c = (((self.c << 21) | (self.c >> 11)) + result) & U32
        return result / 4294967296

    def below(self, n):
        return math.floor(self.uniform() * n)

    def exponential(self, mean):
        return max(1, math.floor(-math.log(1 - self.uniform()) * mean + 0.5))


SLICES = 100


def pace():
    """Seconds for a fixed amount of work of the interpreter."""
    before = time.perf_counter()
    total = 0
    for i in range(20_000):
        total += i
    return time.perf_counter() - before


class Meter:
    def __init__(self, warmup, operations):
        self.next = warmup
        self.slice = operations // SLICES
        self.start = None
        self.warmup_time_ns = None
        # CPU seconds of each slice, and the pace before each and after the last.
        self.slices = []
        self.paces = []

    @property
    def seconds(self):
        return sum(self.slices)

    def reached(self, now_ns):
        """The counter has reached `next`; true when the measurement is over."""
        if self.start is None:
            self.warmup_time_ns = now_ns
        else:
            self.slices.append(time.process_time() - self.start)
        self.paces.append(pace())
        if len(self.slices) == SLICES:
            return True
        self.next += self.slice
        self.start = time.process_time()
        return False


def hold(env, meter, size, kernel_like):
    stream = RandomStream(SEED, "kernel" if kernel_like else "hold")
    table = []
    for _ in range(TABLE_SIZE):
        if not kernel_like:
            table.append(stream.exponential(1e9))
            continue
        kind = stream.uniform()
        table.append(0 if kind < 0.5 else stream.exponential(2000) if kind < 0.8 else TO_TICK)
    drawn = done = 0
    next_tick_ns = TICK_NS
    finished = env.event()

    def process():
        nonlocal drawn, done, next_tick_ns
        while True:
            delay_ns = table[drawn & TABLE_MASK]
            drawn += 1
            if delay_ns == TO_TICK:
                while next_tick_ns <= env.now:
                    next_tick_ns += TICK_NS
                delay_ns = next_tick_ns - env.now
            yield env.timeout(delay_ns)
            done += 1
            if done == meter.next and meter.reached(env.now):
                finished.succeed()
                return

    for _ in range(size):
        env.process(process())
    env.run(until=finished)
    return {}


def queueing(env, meter, servers, warmup, operations):
    batches = 20
    mean_service_ns = 1e6
    mean_arrival_ns = mean_service_ns / (0.8 * servers)
    # One customer more for each that may be in the system at the end; far more than ever are.
    customers = warmup + operations + 10_000
    arrivals, services = RandomStream(SEED, "arrival"), RandomStream(SEED, "service")
    arrival_ns = [arrivals.exponential(mean_arrival_ns) for _ in range(customers)]
    service_ns = [services.exponential(mean_service_ns) for _ in range(customers)]
    queue, idle, means = deque(), [], []
    started = waited_ns = 0
    batch = operations // batches
    batch_end = warmup + batch
    finished = env.event()

    def source():
        for delay_ns in arrival_ns:
            yield env.timeout(delay_ns)
            queue.append(env.now)
            if idle:
                idle.pop().succeed()

    def server():
        nonlocal started, waited_ns, batch_end
        while True:
            while not queue:
                wakeup = env.event()
                idle.append(wakeup)
                yield wakeup
            waited_ns += env.now - queue.popleft()
            started += 1
            if started == batch_end:
                means.append(waited_ns / batch / mean_service_ns)
                waited_ns = 0
                batch_end += batch
            if started == meter.next:
                if started == warmup:
                    waited_ns = 0
                if meter.reached(env.now):
                    finished.succeed()
                    return
            yield env.timeout(service_ns[started - 1])

    env.process(source())
    for _ in range(servers):
        env.process(server())
    env.run(until=finished)
    return {"batchMeans": means}


def convoy(env, meter, size):
    mutex = simpy.Resource(env, capacity=1)
    sections = 0
    finished = env.event()

    def process():
        nonlocal sections
        while True:
            request = mutex.request()
            yield request
            yield env.timeout(10_000)
            sections += 1
            if sections == meter.next and meter.reached(env.now):
                finished.succeed()
                return
            mutex.release(request)
            yield env.timeout(5_000)

    for _ in range(size):
        env.process(process())
    env.run(until=finished)
    return {}


def timers(env, meter, cancel_ratio):
    """A timer is a process that waits for a timeout; cancelling interrupts it. SimPy cannot take a timeout back."""
    step_ns, cancel_after_steps, slots = 1000, 500, 2048
    stream = RandomStream(SEED, "timeouts")
    delays, cancelled = [], []
    for _ in range(TABLE_SIZE):
        delays.append(1_000_000 + stream.below(1_000_000))
        cancelled.append(stream.uniform() < cancel_ratio)
    fired = cancels = 0
    running = [None] * slots
    finished = env.event()

    def timer(delay_ns):
        nonlocal fired
        try:
            yield env.timeout(delay_ns)
            fired += 1
        except simpy.Interrupt:
            pass

    def driver():
        nonlocal cancels
        step = 0
        while True:
            yield env.timeout(step_ns)
            before = step - cancel_after_steps
            if before >= 0 and cancelled[before & TABLE_MASK]:
                running[before & (slots - 1)].interrupt()
                cancels += 1
            running[step & (slots - 1)] = env.process(timer(delays[step & TABLE_MASK]))
            step += 1
            if step == meter.next and meter.reached(env.now):
                finished.succeed()
                return

    env.process(driver())
    env.run(until=finished)
    return {"fired": fired, "cancels": cancels}


def main():
    benchmark, size, operations, warmup = sys.argv[1], *map(int, sys.argv[2:5])
    variant = sys.argv[5] if len(sys.argv) > 5 else ""
    env = simpy.Environment()
    meter = Meter(warmup, operations)
    if benchmark in ("hold", "kernel"):
        checks = hold(env, meter, size, benchmark == "kernel")
    elif benchmark == "queueing":
        checks = queueing(env, meter, size, warmup, operations)
    elif benchmark == "convoy":
        checks = convoy(env, meter, size)
    elif benchmark == "timers":
        checks = timers(env, meter, float(variant) / 100)
    else:
        sys.exit(f"no benchmark {benchmark}")
    line = {"benchmark": benchmark, "size": size, "operations": operations, "cpuSeconds": meter.seconds}
    line |= {"slices": meter.slices, "paces": meter.paces}
    print(json.dumps({**line, "warmupTimeNs": meter.warmup_time_ns, **checks}), flush=True)


main()
