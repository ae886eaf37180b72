// What the C++ contenders share: the random streams of libs/machine (bit for bit), the increments, the meter and the
// line of output. shared.mjs beside our own programs says what each is for.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace bench {

constexpr uint32_t SEED = 20210101;
constexpr size_t TABLE_SIZE = 65536;
constexpr size_t TABLE_MASK = TABLE_SIZE - 1;
constexpr int64_t TICK_NS = 4000000;
constexpr int64_t TO_TICK = -1;

/** sfc32, seeded as RandomStream in libs/machine/src/random.ts. */
class RandomStream {
  uint32_t a, b, c, counter = 1;

public:
  RandomStream(uint32_t seed, const std::string &name) {
    uint32_t hash = 0x811c9dc5u;
    for (unsigned char ch : name) hash = (hash ^ ch) * 0x01000193u;
    uint32_t s = seed ^ hash;
    auto next = [&s] {
      s += 0x9e3779b9u;
      uint32_t z = s;
      z = (z ^ (z >> 16)) * 0x21f0aaadu;
      z = (z ^ (z >> 15)) * 0x735a2d97u;
      return z ^ (z >> 15);
    };
    next();
    a = next() ^ hash;
    b = next() ^ seed;
    c = next();
    for (int i = 0; i < 12; i++) uint32();
  }
  uint32_t uint32() {
    uint32_t result = a + b + counter++;
    a = b ^ (b >> 9);
    b = c + (c << 3);
    c = ((c << 21) | (c >> 11)) + result;
    return result;
  }
  double uniform() { return uint32() / 4294967296.0; }
  int64_t below(double n) { return static_cast<int64_t>(std::floor(uniform() * n)); }
  int64_t exponential(double mean) {
    int64_t value = static_cast<int64_t>(std::floor(-std::log(1 - uniform()) * mean + 0.5));
    return value < 1 ? 1 : value;
  }
};

struct Parameters {
  std::string benchmark;
  int64_t size, operations, warmup;
  std::string variant;
};

inline Parameters parameters(int argc, char **argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s benchmark size operations warmup [variant]\n", argv[0]);
    std::exit(2);
  }
  return {argv[1], std::atoll(argv[2]), std::atoll(argv[3]), std::atoll(argv[4]), argc > 5 ? argv[5] : ""};
}

/** Delays of the hold model and of the kernel-like one, drawn before the clock starts. */
class Delays {
  std::vector<int64_t> table;
  size_t drawn = 0;
  int64_t nextTickNs = TICK_NS;

public:
  explicit Delays(bool kernelLike) {
    RandomStream stream(SEED, kernelLike ? "kernel" : "hold");
    for (size_t i = 0; i < TABLE_SIZE; i++) {
      if (!kernelLike) {
        table.push_back(stream.exponential(1e9));
        continue;
      }
      double kind = stream.uniform();
      table.push_back(kind < 0.5 ? 0 : kind < 0.8 ? stream.exponential(2000) : TO_TICK);
    }
  }
  int64_t next(int64_t nowNs) {
    int64_t drawnNs = table[drawn++ & TABLE_MASK];
    if (drawnNs != TO_TICK) return drawnNs;
    while (nextTickNs <= nowNs) nextTickNs += TICK_NS;
    return nextTickNs - nowNs;
  }
};

constexpr int64_t TIMER_STEP_NS = 1000;
constexpr int64_t CANCEL_AFTER_STEPS = 500;
constexpr size_t TIMER_SLOTS = 2048;

struct Timeouts {
  std::vector<int64_t> delays;
  std::vector<bool> cancelled;
  explicit Timeouts(double cancelRatio) {
    RandomStream stream(SEED, "timeouts");
    for (size_t i = 0; i < TABLE_SIZE; i++) {
      delays.push_back(1000000 + stream.below(1e6));
      cancelled.push_back(stream.uniform() < cancelRatio);
    }
  }
};

/** The ratio in a variant such as `80` or `remove-80`. */
inline double cancelRatio(const std::string &variant) {
  return std::atof(variant.substr(variant.rfind('-') + 1).c_str()) / 100;
}

inline double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

inline double wallSeconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

/** Seconds for a fixed amount of work: simple instructions that do not wait for one another. */
inline double pace() {
  double before = wallSeconds();
  uint32_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
  for (uint32_t i = 0; i < 1000000; i++) {
    a += b;
    b ^= i;
    c += 3;
    d ^= c;
    e += i;
    f += 7;
    // Nothing of it is folded or done several at a time.
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
  }
  return wallSeconds() - before;
}

class Meter {
  static constexpr int64_t SLICES = 100;
  int64_t slice;
  double start = -1;

public:
  int64_t next;
  int64_t warmupTimeNs = 0;
  /** CPU seconds of each slice, and the pace before each and after the last. */
  std::vector<double> slices, paces;
  explicit Meter(const Parameters &given) : slice(given.operations / SLICES), next(given.warmup) {}
  double seconds() const {
    double sum = 0;
    for (double each : slices) sum += each;
    return sum;
  }
  /** The counter has reached `next`; true when the measurement is over. */
  bool reached(int64_t nowNs) {
    if (start < 0) warmupTimeNs = nowNs;
    else slices.push_back(cpuSeconds() - start);
    paces.push_back(pace());
    if (slices.size() == SLICES) return true;
    next += slice;
    start = cpuSeconds();
    return false;
  }
};

inline std::string json(const std::vector<double> &values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); i++) text += (i > 0 ? "," : "") + std::to_string(values[i]);
  return text + "]";
}

/** Waiting times of an M/M/c queue, in batches. */
class Waits {
  const int64_t warmup, batch;
  int64_t started = 0, batchEnd;
  double waitedNs = 0;
  std::vector<double> means;

public:
  static constexpr double LOAD = 0.8;
  static constexpr double MEAN_SERVICE_NS = 1e6;
  static constexpr int BATCHES = 20;
  explicit Waits(const Parameters &given)
      : warmup(given.warmup), batch(given.operations / BATCHES), batchEnd(warmup + batch) {}
  /** True when the measurement is over. */
  bool count(int64_t waitNs, int64_t nowNs, Meter &meter) {
    waitedNs += waitNs;
    if (++started == batchEnd) {
      means.push_back(waitedNs / batch / MEAN_SERVICE_NS);
      waitedNs = 0;
      batchEnd += batch;
    }
    if (started != meter.next) return false;
    if (started == warmup) waitedNs = 0;
    return meter.reached(nowNs);
  }
  std::string json() const { return ",\"batchMeans\":" + bench::json(means); }
};

inline void report(const Parameters &given, const Meter &meter, const std::string &checks = "") {
  std::printf("{\"benchmark\":\"%s\",\"size\":%lld,\"operations\":%lld,\"cpuSeconds\":%.6f,\"slices\":%s,\"paces\":%s,\"warmupTimeNs\":%lld%s}\n",
              given.benchmark.c_str(), static_cast<long long>(given.size), static_cast<long long>(given.operations),
              meter.seconds(), json(meter.slices).c_str(), json(meter.paces).c_str(),
              static_cast<long long>(meter.warmupTimeNs), checks.c_str());
  std::fflush(stdout);
}

} // namespace bench
