import { GatehouseError } from '@gatehouse/core/error';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printMoment } from '../../print/human-time.ts';
import { printShown } from '../../print/output.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { LogOptions } from './log.ts';

/** What this command reads of `/v1/issuance-log`. */
const IssuanceLog = Type.Object({
  file: Type.Union([Type.String(), Type.Null()]),
  bytes: Type.Integer(),
  writable: Type.Boolean(),
  failure: Type.Union([
    Type.Object({ since: Type.String(), why: Type.String(), refused: Type.Integer() }),
    Type.Null(),
  ]),
  damagedLines: Type.Integer(),
  firstDamageAt: Type.Union([Type.Integer(), Type.Null()]),
});

/** Fails where nothing can be recorded, and so nothing is issued. */
export const showLog = (options: LogOptions, surroundings: Surroundings): Promise<ExitCode> =>
  withAdmin({ service: 'identity', options, surroundings }, async (api) => {
    const { terminal } = surroundings;
    const value = await api.json(IssuanceLog, '/v1/issuance-log');
    const { file, bytes, writable, failure, damagedLines, firstDamageAt } = value;
    const state = writable ? terminal.paint('green', 'writable') : terminal.paint('red', 'not writable');
    const shown = {
      value,
      heads: ['file', 'size', 'state', 'damaged lines'],
      rows: [
        [
          file ?? 'none: in memory only',
          file === null ? '' : `${bytes} bytes`,
          state,
          damagedLines === 0 ? '0' : terminal.paint('red', `${damagedLines}`),
        ],
      ],
      wideHeads: ['first damage at'],
      wideRows: [[firstDamageAt === null ? '' : `byte ${firstDamageAt}`]],
    };
    terminal.out(printShown(options.output, shown, terminal.width));
    if (damagedLines > 0) {
      terminal.err(
        terminal.paint(
          'yellow',
          `${damagedLines} lines are unreadable or missing, the first at byte ${firstDamageAt}: the record is not whole`,
        ),
      );
    }
    if (failure === null) return exitCode.ok;
    const since = printMoment(Date.parse(failure.since), Date.now());
    throw new GatehouseError(
      'failed-precondition',
      `nothing can be recorded since ${since} (${failure.why}), so ${failure.refused} certificates were refused: ` +
        `make room for ${file}, or see that it can be written`,
    );
  });
