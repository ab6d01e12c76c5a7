import { GatehouseError } from '@gatehouse/core/error';
import { Command } from 'commander';
import { Type } from 'typebox';
import type { Run } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { printMoment } from '../../print/human-time.ts';
import { type OutputFormat, outputOption, printShown } from '../../print/output.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';
import { withAdmin } from '../../reach/with-admin.ts';

interface LogOptions extends ReachOptions {
  readonly output: OutputFormat;
}

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

/** `gatehouse identity log`: whether what is issued can be recorded, without which nothing is issued. */
export const identityLogCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('log')
      .description('Show whether certificates can be recorded. Exit code 1 if they cannot.')
      .addOption(outputOption()),
  ).action((options: LogOptions) => finish(identityLog(options)));

const identityLog =
  (options: LogOptions): Run =>
  (surroundings) =>
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
