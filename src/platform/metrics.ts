import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Figures for Prometheus. Labels hold operation ids, codes and states: nothing that points at a person. */
export interface Metrics {
  readonly registry: Registry;
  counter(name: string, help: string, labels?: string[]): Counter;
  /** `collect` is asked at each scrape, so that a figure read from the database is never stale. */
  gauge(name: string, help: string, labels?: string[], collect?: (gauge: Gauge) => Promise<void>): Gauge;
  histogram(name: string, help: string, labels: string[], buckets: number[]): Histogram;
}

/** A registry of its own, so that several services can live in one test process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers: [registry] }),
    gauge: (name, help, labelNames = [], collect) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        ...(collect === undefined
          ? {}
          : {
              async collect() {
                await collect(this);
              },
            }),
      }),
    histogram: (name, help, labelNames, buckets) =>
      new Histogram({ name, help, labelNames, buckets, registers: [registry] }),
  };
}
