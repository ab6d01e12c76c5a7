import { renderCrds } from '@gatehouse/manifests/render';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';
import { crdPath } from './check-cluster.ts';
import type { CheckContext } from './check-context.ts';
import { at, items, text } from './cluster-reader.ts';
import { type Check, type Finding, failed, ok, some } from './finding.ts';

/** Before an installation none need be there; those that are must be whole all the same. */
export const crds = (when: 'before' | 'after'): Check<CheckContext> => ({
  name: 'CustomResourceDefinitions',
  run: async ({ cluster }) => {
    const ours = renderCrds();
    const theirs = await Promise.all(ours.map(({ metadata }) => cluster.get(`${crdPath}/${metadata.name}`)));
    const findings: Finding[] = [];
    const missing = ours
      .filter((_, index) => theirs[index] === undefined)
      .map(({ metadata }) => metadata.name);
    if (missing.length > 0 && when === 'after')
      findings.push(
        failed(
          `${some(missing, 20)} are not installed: objects of these kinds cannot be created`,
          'gatehouse install --crds | kubectl apply --server-side -f -',
        ),
      );
    for (const [index, definition] of ours.entries()) {
      const { name } = definition.metadata;
      const installed = theirs[index];
      const lost = installed === undefined ? [] : lostFields(definition, installed);
      if (lost.length > 0)
        findings.push(
          failed(
            `${name} is another than ours, as of an older Linkerd: the API server drops or refuses ${some(lost)}`,
            'gatehouse install --crds | kubectl apply --server-side --force-conflicts -f -',
          ),
        );
    }
    if (findings.length > 0) return findings;
    return ok(
      missing.length > 0
        ? `${ours.length - missing.length} of ${ours.length} kinds are installed, as we have them; install brings the others`
        : `all ${ours.length} kinds are installed, and no field of theirs is dropped`,
    );
  },
});

/** The versions and fields of our definition that the installed one does not have. */
export const lostFields = (ours: unknown, installed: unknown): readonly string[] =>
  items(at(ours, 'spec', 'versions')).flatMap((version) => {
    const name = text(version.name);
    const theirs = items(at(installed, 'spec', 'versions')).find((one) => one.name === name);
    if (theirs?.served !== true) return [name];
    return lostBelow(at(version, 'schema', 'openAPIV3Schema'), at(theirs, 'schema', 'openAPIV3Schema'), name);
  });

const lostBelow = (ours: unknown, theirs: unknown, path: string): readonly string[] => {
  if (!isWireObject(ours) || at(theirs, 'x-kubernetes-preserve-unknown-fields') === true) return [];
  const properties = Object.entries(isWireObject(ours.properties) ? ours.properties : {});
  return [
    ...properties.flatMap(([key, value]) => {
      const same = at(theirs, 'properties', key);
      return same === undefined ? [`${path}.${key}`] : lostBelow(value, same, `${path}.${key}`);
    }),
    ...lostBelow(ours.items, at(theirs, 'items'), `${path}[]`),
    ...lostBelow(ours.additionalProperties, at(theirs, 'additionalProperties'), `${path}.*`),
  ];
};
