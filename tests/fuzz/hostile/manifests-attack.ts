import { Dice } from '@gatehouse/identity/testing/fuzz/dice';
import { readDocuments } from '@gatehouse/platform/kube/directory/manifest-documents';
import { laboriousManifests } from '@gatehouse/testing/hostile/laborious-manifests';
import { type Attack, partOf } from './attack.ts';

const good = `apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: &meta { name: a, namespace: demo, labels: { app: "b" } }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: 8080 }, { port: http } ]
  sources:
  - podSelector: { matchLabels: { app: frontend } }
  - networks: [ { cidr: 10.0.0.0/8, except: [ 10.1.0.0/16 ] } ]
  text: |
    several
    lines
  again: *meta
---
{ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "demo" } }
`;

const pieces = [
  '&a ',
  '*a',
  '<<: ',
  '---\n',
  '...\n',
  '!!binary ',
  '{',
  '}',
  '[',
  ']',
  ': ',
  '- ',
  '\t',
  '\0',
  '\ufeff',
  '|\n',
  '? ',
  '%YAML 9\n',
  '"',
  "'",
  '#',
  '\r',
  '\u2028',
];

/** The author of a file in the folder: texts that are laborious to read, and spoilt ones. */
export const manifests: Attack = {
  name: 'manifests',
  run: async ({ share, seed }) => {
    const dice = new Dice(seed);
    const findings: string[] = [];
    let slowest = 0;
    const read = (what: string, text: string): void => {
      const before = process.threadCpuUsage();
      try {
        readDocuments(new TextEncoder().encode(text));
      } catch (error) {
        findings.push(`${what}: ${String(error)}; ${JSON.stringify(text.slice(0, 400))}`);
      }
      const { user, system } = process.threadCpuUsage(before);
      const milliseconds = (user + system) / 1_000;
      slowest = Math.max(slowest, milliseconds);
      // The worst text costs about 1.5 s a MiB, a quadratic one of 200 KiB half a minute.
      const most = 500 + (text.length / 1_000) * 20;
      if (milliseconds > most)
        findings.push(`${what}: ${milliseconds.toFixed(0)} ms for ${text.length} characters`);
    };
    const size = partOf(20_000, share);
    for (const [what, write] of Object.entries(laboriousManifests)) read(what, write(size));
    const cases = partOf(6_000, share);
    for (let count = 0; count < cases; count += 1) read('a spoilt manifest', spoilt(dice));
    const tried = Object.keys(laboriousManifests).length + cases;
    return { tried, findings, held: `each was read or refused, the slowest in ${slowest.toFixed(0)} ms` };
  },
};

const spoilt = (dice: Dice): string => {
  let text = good;
  for (let change = dice.below(6); change >= 0; change -= 1) {
    const at = dice.below(text.length + 1);
    const until = at + dice.below(20);
    const put = dice.chance(0.3)
      ? text.slice(dice.below(text.length), dice.below(text.length))
      : dice.pick(pieces);
    text = text.slice(0, at) + put + text.slice(dice.chance(0.5) ? at : until);
  }
  return text;
};
