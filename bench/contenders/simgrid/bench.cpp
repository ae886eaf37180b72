// SimGrid: actors of S4U that sleep, on one host of a platform without network. The virtual nanosecond of the others is
// a microsecond here: SimGrid keeps time as seconds in a double and calls dates equal that are closer than 1e-9.
#include "../cpp/shared.hpp"
#include <deque>
#include <simgrid/s4u.hpp>

using namespace bench;
namespace sg = simgrid::s4u;

static constexpr double SECONDS_PER_NS = 1e-6;

static void sleepNs(int64_t ns) { sg::this_actor::sleep_for(ns * SECONDS_PER_NS); }
static int64_t nowNs() { return std::llround(sg::Engine::get_clock() / SECONDS_PER_NS); }

/** Ends the process from within an actor: stopping the others one by one is no part of any measurement. */
[[noreturn]] static void finish() { std::_Exit(0); }

static void hold(const Parameters &given, sg::Host *host, bool kernelLike) {
  static Meter meter(given);
  static Delays delays(kernelLike);
  static int64_t done = 0;
  for (int64_t id = 0; id < given.size; id++) {
    sg::Actor::create("hold", host, [given] {
      for (int64_t now = 0;;) {
        const int64_t delayNs = delays.next(now);
        now += delayNs;
        if (delayNs > 0) sleepNs(delayNs);
        else sg::this_actor::yield(); // sleep_for(0) returns at once
        if (++done == meter.next && meter.reached(now)) {
          report(given, meter);
          finish();
        }
      }
    });
  }
}

static void queueing(const Parameters &given, sg::Host *host) {
  static Meter meter(given);
  static Waits waits(given);
  static RandomStream arrivals(SEED, "arrival"), services(SEED, "service");
  static std::deque<int64_t> queue;
  static sg::SemaphorePtr waiting = sg::Semaphore::create(0);
  const double meanArrivalNs = Waits::MEAN_SERVICE_NS / (Waits::LOAD * given.size);
  sg::Actor::create("source", host, [meanArrivalNs] {
    for (;;) {
      sleepNs(arrivals.exponential(meanArrivalNs));
      queue.push_back(nowNs());
      waiting->release();
    }
  });
  for (int64_t server = 0; server < given.size; server++) {
    sg::Actor::create("server", host, [given] {
      for (;;) {
        waiting->acquire();
        const int64_t now = nowNs();
        const int64_t waitNs = now - queue.front();
        queue.pop_front();
        if (waits.count(waitNs, now, meter)) {
          report(given, meter, waits.json());
          finish();
        }
        sleepNs(services.exponential(Waits::MEAN_SERVICE_NS));
      }
    });
  }
}

static void convoy(const Parameters &given, sg::Host *host) {
  static Meter meter(given);
  static int64_t sections = 0;
  static sg::MutexPtr mutex = sg::Mutex::create();
  for (int64_t id = 0; id < given.size; id++) {
    sg::Actor::create("convoy", host, [given] {
      for (;;) {
        mutex->lock();
        sleepNs(10000);
        if (++sections == meter.next && meter.reached(nowNs())) {
          report(given, meter);
          finish();
        }
        mutex->unlock();
        sleepNs(5000);
      }
    });
  }
}

/** A timer is an actor that waits on a semaphore with a time-out; cancelling releases the semaphore. */
static void timers(const Parameters &given, sg::Host *host) {
  static Meter meter(given);
  static Timeouts timeouts(cancelRatio(given.variant));
  static std::vector<sg::SemaphorePtr> arm, cancel;
  static std::vector<int64_t> delayOf(TIMER_SLOTS);
  static int64_t fired = 0, cancels = 0;
  for (size_t slot = 0; slot < TIMER_SLOTS; slot++) {
    arm.push_back(sg::Semaphore::create(0));
    cancel.push_back(sg::Semaphore::create(0));
    sg::Actor::create("timer", host, [slot] {
      for (;;) {
        arm[slot]->acquire();
        const bool timedOut = cancel[slot]->acquire_timeout(delayOf[slot] * SECONDS_PER_NS);
        if (timedOut) fired++;
      }
    });
  }
  sg::Actor::create("driver", host, [given] {
    for (int64_t step = 0;;) {
      sleepNs(TIMER_STEP_NS);
      const int64_t before = step - CANCEL_AFTER_STEPS;
      if (before >= 0 && timeouts.cancelled[before & TABLE_MASK]) {
        cancel[before & (TIMER_SLOTS - 1)]->release();
        cancels++;
      }
      const size_t slot = step & (TIMER_SLOTS - 1);
      delayOf[slot] = timeouts.delays[step & TABLE_MASK];
      arm[slot]->release();
      if (++step == meter.next && meter.reached(nowNs())) {
        report(given, meter, ",\"fired\":" + std::to_string(fired) + ",\"cancels\":" + std::to_string(cancels));
        finish();
      }
    }
  });
}

int main(int argc, char **argv) {
  // Small stacks without guard pages: with them, the kernel's limit on mappings ends a run of 30,000 actors.
  std::vector<char *> arguments(argv, argv + argc);
  std::string stack = "--cfg=contexts/stack-size:16", guard = "--cfg=contexts/guard-size:0", log = "--log=root.thres:critical";
  for (std::string *option : {&stack, &guard, &log}) arguments.push_back(option->data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  sg::Engine engine(&count, arguments.data());
  const Parameters given = parameters(count, arguments.data());
  sg::NetZone *zone = sg::create_empty_zone("zone");
  sg::Host *host = zone->create_host("host", 1e9);
  zone->seal();
  if (given.benchmark == "hold" || given.benchmark == "kernel") hold(given, host, given.benchmark == "kernel");
  else if (given.benchmark == "queueing") queueing(given, host);
  else if (given.benchmark == "convoy") convoy(given, host);
  else if (given.benchmark == "timers") timers(given, host);
  else return std::fprintf(stderr, "no benchmark %s\n", argv[1]), 2;
  engine.run();
}
