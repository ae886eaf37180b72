// ns-3: events that call a function, on the scheduler that the variant names (`map` is the default of ns-3; `heap`,
// `priority-queue`, `calendar`). ns-3 has no processes and no mutexes; its M/M/c is a state machine.
// Timers, `scheduler/cancel-80` and so on: `cancel` marks the event (EventId::Cancel), `remove` takes it out of the queue.
#include "../cpp/shared.hpp"
#include "ns3/core-module.h"
#include <deque>

using namespace bench;
using ns3::NanoSeconds;
using ns3::Simulator;

static int64_t nowNs() { return Simulator::Now().GetNanoSeconds(); }

static void setScheduler(const std::string &name) {
  const std::string type = name == "heap"             ? "ns3::HeapScheduler"
                           : name == "priority-queue" ? "ns3::PriorityQueueScheduler"
                           : name == "calendar"       ? "ns3::CalendarScheduler"
                                                      : "ns3::MapScheduler";
  ns3::ObjectFactory factory;
  factory.SetTypeId(type);
  Simulator::SetScheduler(factory);
}

struct Hold {
  Meter meter;
  Delays delays;
  int64_t done = 0;
  Hold(const Parameters &given, bool kernelLike) : meter(given), delays(kernelLike) {}
  void fire(int64_t id) {
    const int64_t now = nowNs();
    if (++done == meter.next && meter.reached(now)) return Simulator::Stop();
    Simulator::Schedule(NanoSeconds(delays.next(now)), &Hold::fire, this, id);
  }
};

static void hold(const Parameters &given, bool kernelLike) {
  Hold model(given, kernelLike);
  for (int64_t id = 0; id < given.size; id++) {
    Simulator::Schedule(NanoSeconds(model.delays.next(0)), &Hold::fire, &model, id);
  }
  Simulator::Run();
  report(given, model.meter);
}

struct Queueing {
  Meter meter;
  Waits waits;
  RandomStream arrivals{SEED, "arrival"}, services{SEED, "service"};
  const double meanArrivalNs;
  std::deque<int64_t> queue;
  int64_t idle;
  explicit Queueing(const Parameters &given)
      : meter(given), waits(given), meanArrivalNs(Waits::MEAN_SERVICE_NS / (Waits::LOAD * given.size)),
        idle(given.size) {}
  void scheduleArrival() {
    Simulator::Schedule(NanoSeconds(arrivals.exponential(meanArrivalNs)), &Queueing::arrive, this);
  }
  void arrive() {
    queue.push_back(nowNs());
    scheduleArrival();
    serve();
  }
  void depart() {
    idle++;
    serve();
  }
  void serve() {
    if (idle == 0 || queue.empty()) return;
    idle--;
    const int64_t now = nowNs();
    const int64_t waitNs = now - queue.front();
    queue.pop_front();
    if (waits.count(waitNs, now, meter)) return Simulator::Stop();
    Simulator::Schedule(NanoSeconds(services.exponential(Waits::MEAN_SERVICE_NS)), &Queueing::depart, this);
  }
};

static void queueing(const Parameters &given) {
  Queueing model(given);
  model.scheduleArrival();
  Simulator::Run();
  report(given, model.meter, model.waits.json());
}

struct Timers {
  Meter meter;
  Timeouts timeouts;
  const bool remove;
  std::vector<ns3::EventId> slots{TIMER_SLOTS};
  int64_t step = 0, fired = 0, cancels = 0;
  explicit Timers(const Parameters &given)
      : meter(given), timeouts(cancelRatio(given.variant)), remove(given.variant.find("remove") != std::string::npos) {}
  void fire() { fired++; }
  void drive() {
    const int64_t before = step - CANCEL_AFTER_STEPS;
    if (before >= 0 && timeouts.cancelled[before & TABLE_MASK]) {
      ns3::EventId &timer = slots[before & (TIMER_SLOTS - 1)];
      if (remove) Simulator::Remove(timer);
      else Simulator::Cancel(timer);
      cancels++;
    }
    slots[step & (TIMER_SLOTS - 1)] =
        Simulator::Schedule(NanoSeconds(timeouts.delays[step & TABLE_MASK]), &Timers::fire, this);
    if (++step == meter.next && meter.reached(nowNs())) return Simulator::Stop();
    Simulator::Schedule(NanoSeconds(TIMER_STEP_NS), &Timers::drive, this);
  }
};

static void timers(const Parameters &given) {
  Timers model(given);
  Simulator::Schedule(NanoSeconds(TIMER_STEP_NS), &Timers::drive, &model);
  Simulator::Run();
  report(given, model.meter, ",\"fired\":" + std::to_string(model.fired) + ",\"cancels\":" + std::to_string(model.cancels));
}

int main(int argc, char **argv) {
  const Parameters given = parameters(argc, argv);
  setScheduler(given.variant.substr(0, given.variant.find('/')));
  if (given.benchmark == "hold" || given.benchmark == "kernel") hold(given, given.benchmark == "kernel");
  else if (given.benchmark == "queueing") queueing(given);
  else if (given.benchmark == "timers") timers(given);
  else return std::fprintf(stderr, "no benchmark %s\n", argv[1]), 2;
  // What is still pending is left to the end of the process: taking it apart is no part of any measurement.
  std::_Exit(0);
}
