import { inheritedAnnotation } from '@gatehouse/core/injection/inject-pod';
import { injectedContainers, injectedVolumes } from '@gatehouse/core/injection/sidecar';
import { templatePlaceOf } from '@gatehouse/core/injection/workload-kinds';
import { injectAnnotation } from '@gatehouse/core/resources/annotations';
import { type Place, removeFromYaml } from '../../manifest/remove-from-yaml.ts';
import { splitDocuments } from '../../manifest/split-documents.ts';
import { type InjectedManifest, type Manifest, objectsIn } from './inject-manifest.ts';
import { isWire, metadataOf, type Treated, type Wire } from './inject-object.ts';

/** What `inject` writes of `linkerd.io/`. What configures proxies (`config.linkerd.io/`) is the user's, and stays. */
const prefix = 'linkerd.io/';

/** Takes out of a manifest what injection added. What nobody injected comes back byte for byte. */
export const uninjectManifest = ({ text, origin }: Manifest): InjectedManifest => {
  const treated: Treated[] = [];
  const texts = splitDocuments(text, origin).map((document) => {
    const places = objectsIn(document.value).flatMap(({ object, keys }) => {
      const found = placesIn(object);
      treated.push(describe(object, found.length > 0));
      return found.map((place): Place => [...keys, ...place]);
    });
    return places.length === 0 ? document.text : removeFromYaml(document.text, places);
  });
  return { text: texts.join(''), treated };
};

const describe = (object: Wire, isChanged: boolean): Treated => {
  const { name, generateName } = metadataOf(object);
  const about = {
    kind: `${object.kind}`.toLowerCase(),
    name: typeof name === 'string' ? name : typeof generateName === 'string' ? generateName : '',
    patch: [],
    warnings: [],
    problems: [],
  };
  return isChanged
    ? { ...about, outcome: 'uninjected' }
    : { ...about, outcome: 'skipped', why: 'nothing of it was injected' };
};

/** Where an object has something that injection writes. */
const placesIn = (object: Wire): readonly Place[] => {
  const { apiVersion, kind } = object;
  const metadata = placesInMetadata(metadataOf(object));
  if (kind === 'Namespace') return metadata;
  const template = templatePlaceOf(`${apiVersion}`, `${kind}`);
  if (template === undefined) return [];
  const written = template.keys.reduce<unknown>(
    (value, key) => (isWire(value) ? value[key] : undefined),
    object,
  );
  if (!isWire(written)) return [];
  const spec = isWire(written.spec) ? written.spec : {};
  const inSpec = (list: string, names: readonly string[]): readonly Place[] =>
    (Array.isArray(spec[list]) ? spec[list] : []).flatMap((item, at) =>
      isWire(item) && names.includes(`${item.name}`) ? [['spec', list, `${at}`]] : [],
    );
  return [
    ...placesInMetadata(metadataOf(written)),
    ...inSpec('initContainers', injectedContainers),
    ...inSpec('containers', injectedContainers),
    ...inSpec('volumes', injectedVolumes),
  ].map((place) => [...template.keys, ...place]);
};

/** All but a refusal to be injected, which no injector writes. */
const placesInMetadata = (metadata: Wire): readonly Place[] => {
  const annotations = isWire(metadata.annotations) ? metadata.annotations : {};
  const inherited = `${annotations[inheritedAnnotation] ?? ''}`.split(',');
  return ['annotations', 'labels'].flatMap((part) => {
    const texts = isWire(metadata[part]) ? metadata[part] : {};
    return Object.entries(texts).flatMap(([name, value]) => {
      const isOurs = name.startsWith(prefix) && !(name === injectAnnotation && value === 'disabled');
      return isOurs || (part === 'annotations' && inherited.includes(name)) ? [['metadata', part, name]] : [];
    });
  });
};
