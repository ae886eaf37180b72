import { metric, type MetricSpec } from '@kworkbench/mechanism';

export const metrics = [
  metric(
    'wakeup_latency_p50_seconds',
    'seconds',
    'lower',
    'From the time a probe was due to its first instruction, median',
  ),
  metric('wakeup_latency_p99_seconds', 'seconds', 'lower', 'The same, 99th percentile'),
  metric('wakeup_latency_max_seconds', 'seconds', 'lower', 'The same, longest'),
  metric('probe_rounds_total', 'total', 'none', 'Wakeups of all probes that were served'),
  metric(
    'probe_overruns_total',
    'total',
    'lower',
    'Periods that a probe missed because it was still at work or waiting',
  ),
  metric('spinner_cpu_seconds', 'seconds', 'higher', 'CPU time that the spinners got, all together'),
  metric('spinner_share_ratio', 'ratio', 'higher', 'The same as a share of one CPU for each spinner'),
] as const satisfies readonly MetricSpec[];
