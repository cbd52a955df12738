import { describe, expect, it } from 'vitest';
import { exposition } from '../../src/metrics/exposition.ts';
import { Counter, Histogram, measured } from '../../src/metrics/family.ts';
import { processFamilies } from '../../src/metrics/process.ts';

const text = (...families: Parameters<typeof exposition>[0][]): string =>
  exposition(families.flatMap((one) => [...one]));

describe("metrics in Prometheus' text format", () => {
  it('a counter: one line for each set of label values, with help and type', () => {
    const requests = new Counter({ name: 'requests_total', help: 'Requests.', labels: ['code', 'method'] });
    requests.add(['200', 'GET']);
    requests.add(['200', 'GET']);
    requests.of(['200', 'GET']).value += 1;
    requests.add(['500', 'PUT']);
    expect(text([requests])).toBe(
      [
        '# HELP requests_total Requests.',
        '# TYPE requests_total counter',
        'requests_total{code="200",method="GET"} 3',
        'requests_total{code="500",method="PUT"} 1',
        '',
      ].join('\n'),
    );
  });

  it('a histogram: cumulative buckets, sum and count', () => {
    const time = new Histogram({ name: 'time_seconds', help: 'Time.', labels: ['what'], buckets: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 30]) time.observe(['x'], value);
    expect(text([time])).toBe(
      [
        '# HELP time_seconds Time.',
        '# TYPE time_seconds histogram',
        'time_seconds_bucket{what="x",le="0.1"} 2',
        'time_seconds_bucket{what="x",le="1"} 3',
        'time_seconds_bucket{what="x",le="+Inf"} 4',
        'time_seconds_sum{what="x"} 30.65',
        'time_seconds_count{what="x"} 4',
        '',
      ].join('\n'),
    );
  });

  it('what is measured at the scrape: with labels, without, or not at all', () => {
    let depth = 1;
    const gauge = measured('gauge', 'depth', 'Depth.', () => depth);
    expect(text([gauge])).toContain('\ndepth 1\n');
    depth = Number.POSITIVE_INFINITY;
    expect(text([gauge])).toContain('\ndepth +Inf\n');
    const labelled = measured('gauge', 'of', 'Of.', () => [{ labels: [['a', 'b']], value: -0.5 }]);
    expect(text([labelled])).toContain('\nof{a="b"} -0.5\n');
    expect(text([measured('gauge', 'none', 'None.', () => undefined)])).toBe(
      '# HELP none None.\n# TYPE none gauge\n',
    );
  });

  it('escapes what would break a line', () => {
    const counter = new Counter({ name: 'c', help: 'one\ntwo \\', labels: ['l'] });
    counter.add(['a"b\\c\nd']);
    expect(text([counter])).toBe('# HELP c one\\ntwo \\\\\n# TYPE c counter\nc{l="a\\"b\\\\c\\nd"} 1\n');
  });

  it('says of the process what dashboards expect', () => {
    const lines = text(processFamilies());
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'process_open_fds',
      'process_max_fds',
      'nodejs_heap_size_used_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(lines)?.[1])).toBeGreaterThanOrEqual(0);
    }
  });
});
