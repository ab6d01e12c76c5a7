import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { composeWorld, type World } from '@gatehouse/platform/kube/directory/folder-objects';
import { type Manifest, parseManifest } from '@gatehouse/platform/kube/directory/manifest';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { asManifest } from './manifest-folder.ts';
import { aWireObject, type WireSaid } from './wire-objects.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const manifest = (path: string, ...objects: readonly WireObject[]): Manifest =>
  parseManifest(path, undefined, { bytes: bytes(asManifest(...objects)) });
/** A manifest that held these objects and then was filled with garbage. */
export const broken = (path: string, ...objects: readonly WireObject[]): Manifest =>
  parseManifest(path, manifest(path, ...objects), { bytes: bytes('kind: [') });

export const compose = (...manifests: readonly Manifest[]): World => composeWorld(manifests, 'gatehouse');
export const find = <K extends Kind>(
  world: World,
  kind: K,
  name: string,
  namespace = 'demo',
): KubeObject<K> | undefined =>
  world.objects.get(`${kind}/${namespace}/${name}`) as KubeObject<K> | undefined;
export const texts = (world: World): readonly string[] =>
  world.warnings.map(({ path, text }) => `${path}: ${text}`);

export const aPod = (name: string, said: WireSaid = {}): WireObject =>
  aWireObject('Pod', { name, spec: {}, ...said });
export const aNamespace = (annotations: object = {}): WireObject =>
  aWireObject('Namespace', { name: 'demo', metadata: { annotations } });
export const aServer = (said: WireSaid = {}): WireObject =>
  aWireObject('Server', {
    name: 'web',
    spec: { podSelector: { matchLabels: { app: 'web' } }, port: 80 },
    ...said,
  });
export const aDeployment = (name: string, spec: object): WireObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'demo' },
  spec,
});
export const policy = (value: string) => ({ 'config.linkerd.io/default-inbound-policy': value });
export const inject = (value: string) => ({ 'linkerd.io/inject': value });
