import type { Log } from '@gatehouse/platform/log/log';
import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { IdentityConfig } from '../../config.ts';
import { FileIssuanceLog } from './file-issuance-log.ts';
import { MemoryIssuanceLog } from './issuance-log.ts';
import { countOlderKeys } from './older-keys.ts';

export type ServiceIssuanceLog =
  | { readonly kind: 'memory'; readonly issued: MemoryIssuanceLog }
  | { readonly kind: 'file'; readonly issued: FileIssuanceLog };

/** Opens the issuance log that the settings name, and measures it. */
export const openIssuanceLog = async (
  { issuanceLog: path, issuanceLogMaxBytes, issuanceLogKeep }: IdentityConfig,
  { log, metrics, now }: { readonly log: Log; readonly metrics: Metrics; readonly now: () => number },
): Promise<ServiceIssuanceLog> => {
  const onSuspicious = countOlderKeys(metrics, log);
  const flushes = metrics.histogram({
    name: 'gatehouse_identity_issuance_log_flush_seconds',
    help: 'How long a batch of records took to be on disk.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  const opened: ServiceIssuanceLog =
    path === undefined
      ? { kind: 'memory', issued: new MemoryIssuanceLog(onSuspicious) }
      : {
          kind: 'file',
          issued: await FileIssuanceLog.open({
            path,
            log,
            now,
            onSuspicious,
            onFlush: (seconds) => flushes.observe(seconds),
            maxBytes: issuanceLogMaxBytes === 0 ? undefined : issuanceLogMaxBytes,
            keepFiles: issuanceLogKeep,
          }),
        };
  const file = opened.kind === 'file' ? opened.issued : undefined;
  metrics.gauge({
    name: 'gatehouse_identity_issuance_log_writable',
    help: 'Whether certificates can be recorded, without which none is signed: 1 or 0.',
    collect() {
      this.set(file?.failure === undefined ? 1 : 0);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuance_log_bytes',
    help: 'The size of the file of the issuance log; 0 without one.',
    collect() {
      this.set(file?.bytes ?? 0);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_issuance_log_damaged_lines',
    help: 'Lines of the issuance log that are unreadable or missing.',
    collect() {
      this.set(file?.damage.lines ?? 0);
    },
  });
  return opened;
};
