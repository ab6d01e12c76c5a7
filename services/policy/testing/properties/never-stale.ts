import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileFromIndex } from '../../src/core/inbound/compile-from-index.ts';
import {
  InboundRowsFixture,
  type InboundRowsParts,
  print,
  targetOf,
  workloadsIn,
} from '../inbound-rows-fixture.ts';
import { anyChange } from '../random-changes.ts';

/** After any batches, once nothing waits, every watched row is what a look at everything would compile, and its readers have it. */
export const rowsAreNeverStale = (parts: InboundRowsParts = {}) =>
  fc.property(
    fc.array(
      fc.record({
        changes: fc.array(anyChange, { minLength: 1, maxLength: 5 }),
        // How many rows are compiled before the next batch comes.
        slices: fc.constantFrom(0, 1, 'all', 'all', 'all'),
        // Which watches end before it, and which ports are watched from then on, in which order.
        ends: fc.array(fc.nat(100), { maxLength: 4 }),
        ports: fc.shuffledSubarray([8080, 9000, 9001, 4191]),
      }),
      { minLength: 1, maxLength: 25, size: 'max' },
    ),
    (batches) => {
      const fixture = new InboundRowsFixture(parts);
      for (const { changes, slices, ends, ports } of batches) {
        for (const at of ends) fixture.unwatch(at);
        fixture.take(...changes);
        if (slices === 1) fixture.compile('one');
        if (slices !== 'all') continue;
        fixture.compile('all');
        for (const [reader, watch] of fixture.watches) {
          const target = targetOf(fixture, watch.pod);
          assert.equal(target?.meta.uid, watch.pod.uid, 'a watch outlived its workload');
          if (target === undefined) continue;
          const { answer, port } = watch.row;
          const expected = (of: number) => compileFromIndex(fixture.index, target, of, fixture.options);
          // Only sentences name the port, and those are of the one that stands for all that share the row.
          assert.deepEqual(answer?.compiled, expected(port));
          assert.equal(answer.encoded.version, print(expected(watch.port).server));
          assert.equal(reader.versions.at(-1), answer.encoded.version);
        }
        for (const asked of workloadsIn(fixture)) {
          for (const port of ports) {
            const watched = [...fixture.watches.values()].some(
              (watch) =>
                watch.port === port &&
                watch.pod.kind === asked.kind &&
                watch.pod.namespace === asked.namespace &&
                watch.pod.pod === asked.pod,
            );
            if (!watched) fixture.watchWorkload({ ...asked, port });
          }
        }
      }
      for (const watch of fixture.watches.values()) fixture.rows.unwatch(watch);
      assert.deepEqual(fixture.rows.size, { classes: 0, rows: 0, waiting: 0 });
    },
  );
