import { type Addition, below, pointer } from '@gatehouse/core/injection/json-patch';
import type { Labels } from '@gatehouse/core/label-selector';
import { addToYaml } from '../../manifest/add-to-yaml.ts';
import { splitDocuments } from '../../manifest/split-documents.ts';
import {
  type Injecting,
  injectObject,
  isWire,
  metadataOf,
  type Treated,
  type Wire,
} from './inject-object.ts';

/** A manifest and where it comes from: a file, a URL, `stdin`. */
export interface Manifest {
  readonly origin: string;
  readonly text: string;
}

export interface InjectedManifest {
  /** All that was not added to is as it was, byte for byte. */
  readonly text: string;
  readonly treated: readonly Treated[];
}

/** An object and where it is in its document: a list holds several. */
export interface PlacedObject {
  readonly object: Wire;
  readonly keys: readonly string[];
}

/** The objects of a document, those of lists among them; typed lists of kubectl (`PodList`) say the kind once for all. */
export const objectsIn = (value: unknown, keys: readonly string[] = []): readonly PlacedObject[] => {
  if (!isWire(value)) return [];
  const { kind, items, apiVersion } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [{ object: value, keys }];
  return items.flatMap((item, at) => {
    const typed = kind !== 'List' && isWire(item) ? { apiVersion, kind: kind.slice(0, -4), ...item } : item;
    return objectsIn(typed, [...keys, 'items', `${at}`]);
  });
};

export const objectsOf = (manifests: readonly Manifest[]): readonly PlacedObject[] =>
  manifests
    .flatMap(({ text, origin }) => splitDocuments(text, origin))
    .flatMap(({ value }) => objectsIn(value));

/** Annotations of the Namespaces that manifests hold: what their pods inherit. */
export const namespacesIn = (manifests: readonly Manifest[]): ReadonlyMap<string, Labels> =>
  new Map(
    objectsOf(manifests)
      .filter(({ object }) => object.apiVersion === 'v1' && object.kind === 'Namespace')
      .map(({ object }) => {
        const { name, annotations } = metadataOf(object);
        return [`${name}`, isWire(annotations) ? (annotations as Labels) : {}];
      }),
  );

/** Injects every workload of a manifest. Throws what is wrong with the YAML; what is wrong with an object is in what it returns. */
export const injectManifest = ({ text, origin }: Manifest, injecting: Injecting): InjectedManifest => {
  const treated: Treated[] = [];
  const texts = splitDocuments(text, origin).map((document) => {
    const additions = objectsIn(document.value).flatMap(({ object, keys }): readonly Addition[] => {
      const one = injectObject(object, injecting);
      treated.push(one);
      return below(pointer(...keys), one.patch);
    });
    return additions.length === 0 ? document.text : addToYaml(document.text, additions);
  });
  return { text: texts.join(''), treated };
};
