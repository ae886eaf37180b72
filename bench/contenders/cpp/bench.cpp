// The yardstick: std::priority_queue on plain structs, in a hand-written loop. No simulator, no processes.
// An event is what ours is (time, sequence, target, argument) and the order is ours, total on (time, sequence).
#include "shared.hpp"
#include <deque>
#include <queue>

using namespace bench;

struct Event {
  int64_t time;
  uint64_t sequence;
  int32_t target, argument;
};

struct Later {
  bool operator()(const Event &a, const Event &b) const {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }
};

class EventQueue {
  std::priority_queue<Event, std::vector<Event>, Later> heap;
  uint64_t sequence = 0;

public:
  int64_t now = 0;
  int32_t target = 0, argument = 0;
  void push(int64_t delay, int32_t to, int32_t with) { heap.push({now + delay, sequence++, to, with}); }
  void pop() {
    const Event &top = heap.top();
    now = top.time;
    target = top.target;
    argument = top.argument;
    heap.pop();
  }
};

static void hold(const Parameters &given, bool kernelLike) {
  Meter meter(given);
  Delays delays(kernelLike);
  EventQueue events;
  for (int64_t id = 0; id < given.size; id++) events.push(delays.next(0), static_cast<int32_t>(id), 0);
  for (int64_t done = 0;;) {
    events.pop();
    if (++done == meter.next && meter.reached(events.now)) break;
    events.push(delays.next(events.now), events.target, 0);
  }
  report(given, meter);
}

static void queueing(const Parameters &given) {
  enum { ARRIVAL, DEPARTURE };
  Meter meter(given);
  Waits waits(given);
  RandomStream arrivals(SEED, "arrival"), services(SEED, "service");
  const double meanArrivalNs = Waits::MEAN_SERVICE_NS / (Waits::LOAD * given.size);
  EventQueue events;
  std::deque<int64_t> queue;
  int64_t idle = given.size;
  events.push(arrivals.exponential(meanArrivalNs), ARRIVAL, 0);
  for (;;) {
    events.pop();
    if (events.target == ARRIVAL) {
      queue.push_back(events.now);
      events.push(arrivals.exponential(meanArrivalNs), ARRIVAL, 0);
    } else {
      idle++;
    }
    if (idle == 0 || queue.empty()) continue;
    idle--;
    const int64_t waitNs = events.now - queue.front();
    queue.pop_front();
    if (waits.count(waitNs, events.now, meter)) break;
    events.push(services.exponential(Waits::MEAN_SERVICE_NS), DEPARTURE, 0);
  }
  report(given, meter, waits.json());
}

static void timers(const Parameters &given) {
  enum { STEP, TIMER };
  Meter meter(given);
  Timeouts timeouts(cancelRatio(given.variant));
  EventQueue events;
  std::vector<uint32_t> stamps(TIMER_SLOTS);
  int64_t step = 0, fired = 0, cancels = 0;
  events.push(TIMER_STEP_NS, STEP, 0);
  for (;;) {
    events.pop();
    if (events.target == TIMER) {
      const uint32_t argument = static_cast<uint32_t>(events.argument);
      if (argument >> 11 == (stamps[argument & (TIMER_SLOTS - 1)] & 0xfffff)) fired++;
      continue;
    }
    const int64_t before = step - CANCEL_AFTER_STEPS;
    if (before >= 0 && timeouts.cancelled[before & TABLE_MASK]) {
      stamps[before & (TIMER_SLOTS - 1)]++;
      cancels++;
    }
    const uint32_t slot = step & (TIMER_SLOTS - 1);
    events.push(timeouts.delays[step & TABLE_MASK], TIMER, ((++stamps[slot] & 0xfffff) << 11) | slot);
    if (++step == meter.next && meter.reached(events.now)) break;
    events.push(TIMER_STEP_NS, STEP, 0);
  }
  report(given, meter, ",\"fired\":" + std::to_string(fired) + ",\"cancels\":" + std::to_string(cancels));
}

int main(int argc, char **argv) {
  const Parameters given = parameters(argc, argv);
  if (given.benchmark == "hold") hold(given, false);
  else if (given.benchmark == "kernel") hold(given, true);
  else if (given.benchmark == "queueing") queueing(given);
  else if (given.benchmark == "timers") timers(given);
  else return std::fprintf(stderr, "no benchmark %s\n", argv[1]), 2;
}
