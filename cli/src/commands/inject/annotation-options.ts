import type { Labels } from '@gatehouse/core/label-selector';
import { type Command, Option } from 'commander';

/** Options that Linkerd's users know, each for one annotation of `config.linkerd.io/`. */
const rows: readonly (readonly [flags: string, annotation: string, sentence: string])[] = [
  [
    '--default-inbound-policy <policy>',
    'default-inbound-policy',
    'what governs ports that no policy selects',
  ],
  ['--opaque-ports <ports>', 'opaque-ports', 'ports whose protocol is not detected; on Services, too'],
  [
    '--skip-inbound-ports <ports>',
    'skip-inbound-ports',
    'ports that bypass the proxy: no policy holds there',
  ],
  ['--skip-outbound-ports <ports>', 'skip-outbound-ports', 'ports of others that bypass the proxy'],
  ['--skip-subnets <networks>', 'skip-subnets', 'networks that bypass the proxy'],
  ['--proxy-image <image>', 'proxy-image', 'the image of the proxy'],
  ['--proxy-version <tag>', 'proxy-version', 'its tag'],
  ['--image-pull-policy <policy>', 'image-pull-policy', 'when it is pulled'],
  ['--proxy-log-level <level>', 'proxy-log-level', 'what the proxy logs'],
  ['--proxy-log-format <format>', 'proxy-log-format', 'plain or json'],
  ['--proxy-cpu-request <cpu>', 'proxy-cpu-request', 'CPU that the proxy asks for'],
  ['--proxy-cpu-limit <cpu>', 'proxy-cpu-limit', 'CPU that it may use'],
  ['--proxy-memory-request <bytes>', 'proxy-memory-request', 'memory that it asks for'],
  ['--proxy-memory-limit <bytes>', 'proxy-memory-limit', 'memory that it may use'],
  ['--access-log <format>', 'access-log', 'apache or json'],
  ['--shutdown-grace-period <duration>', 'shutdown-grace-period', 'how long it waits for open connections'],
  ['--close-wait-timeout <duration>', 'close-wait-timeout', 'timeout of closed connections in conntrack'],
];
const flags: readonly (readonly [flag: string, annotation: string, sentence: string])[] = [
  ['--enable-debug-sidecar', 'enable-debug-sidecar', 'add a container with tools'],
  ['--enable-external-profiles', 'enable-external-profiles', 'ask for ServiceProfiles of external names'],
];

const nameOf = (spec: string): string =>
  spec
    .slice('--'.length, spec.includes(' ') ? spec.indexOf(' ') : undefined)
    .replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

export type AnnotationOptions = Readonly<Record<string, unknown>>;

/** Adds an option for each annotation, under a heading of their own. */
export const addAnnotationOptions = (command: Command): Command => {
  command.optionsGroup('Annotations that are written on workloads and namespaces:');
  for (const [spec, , sentence] of rows) command.addOption(new Option(spec, sentence));
  for (const [spec, , sentence] of flags) command.addOption(new Option(spec, sentence));
  return command.addOption(
    new Option('--native-sidecar <boolean>', 'whether the proxy is a native sidecar').choices([
      'true',
      'false',
    ]),
  );
};

/** The annotations that the options ask for. */
export const annotationsOf = (options: AnnotationOptions): Labels => {
  const found: Record<string, string> = {};
  for (const [spec, annotation] of [...rows, ...flags]) {
    const value = options[nameOf(spec)];
    if (value !== undefined) found[`config.linkerd.io/${annotation}`] = `${value}`;
  }
  if (options.nativeSidecar !== undefined)
    found['config.linkerd.io/proxy-enable-native-sidecar'] = `${options.nativeSidecar}`;
  return found;
};
