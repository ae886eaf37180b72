import { describe, expect, it } from 'vitest';
import { madeUp, reportOf } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { toJUnit } from './junit.js';

const THRESHOLD = { 'backlog_bytes{variant:fast}': ['max<1MB'] };
const ITEMS = { workload: { rate: 600, items: 2000 } };

describe('toJUnit', () => {
  it('has a case per cell, threshold and figure, with failures and skips', () => {
    const scenario = queueScenario({ ...ITEMS, thresholds: THRESHOLD, variants: ['before', 'fast'] });
    const xml = toJUnit(
      reportOf(scenario, (planned) =>
        planned.replication === 2
          ? { cellId: planned.id, kind: 'model', message: 'a < b & "c"\n\u0007' }
          : madeUp(() => ({ backlog_bytes: 2e6 }))(planned),
      ),
    );
    expect(xml).toContain('<testsuite name="queue-test" tests="9" failures="3" errors="0" skipped="1" time="4.100">');
    expect(xml).toContain('<failure message="model: a &lt; b &amp; &quot;c&quot; ?"/>');
    expect(xml).toContain('<skipped message="needs machine.cpus 8, here 4"/>');
    expect(xml).toContain('<failure message="got 2,000,000 (n=2)"/>');
  });
});
