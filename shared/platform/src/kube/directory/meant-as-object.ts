import { isWireObject } from '../parse/fields.ts';

/** What an object has beside `apiVersion` and `kind`, and other files rarely. */
const bodies = ['metadata', 'spec', 'items'] as const;

/** Whether a fragment of an object looks like this, for one that is half written. */
const usualFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', ...bodies, 'status', 'data']);

/**
 * Whether a document was meant as a Kubernetes object, however wrong. A folder of manifests also holds a chart's
 * values.yaml, which says neither `apiVersion` nor `kind`, and its Chart.yaml, which says only one of them: nothing in them can
 * open or close anything. An object of which one was forgotten or is not yet written can, and it has the rest of an object.
 */
export const isMeantAsObject = (document: unknown): boolean => {
  if (Array.isArray(document)) return document.some((each) => isWireObject(each) && isMeantAsObject(each));
  if (!isWireObject(document)) return true;
  const said = ['apiVersion', 'kind'].filter((name) => Object.hasOwn(document, name)).length;
  if (said !== 1) return said === 2;
  return (
    bodies.some((name) => Object.hasOwn(document, name)) ||
    Object.keys(document).every((name) => usualFields.has(name))
  );
};
