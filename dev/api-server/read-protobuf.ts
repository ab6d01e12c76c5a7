import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { badRequest, unsupportedMediaType } from './api-status.ts';
import { fieldsOf, textOf } from './object-meta.ts';
import { type Field, type Message, messages } from './protobuf-fields.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** Before each object that the API machinery encodes. */
const magic = Buffer.from('k8s\0');

/** What stands around an object: its kind, and itself as bytes (runtime.Unknown of k8s.io/apimachinery). */
const envelope: Message = {
  1: [
    'typeMeta',
    { kind: 'message', of: { 1: ['apiVersion', { kind: 'text' }], 2: ['kind', { kind: 'text' }] } },
  ],
  2: ['raw', { kind: 'bytes' }],
};

/** An object as JSON has it. Throws ApiStatus: 415 for a kind that is not read here, 400 for bytes that are none. */
export const readProtobuf = (bytes: Uint8Array): WireObject => {
  if (!magic.equals(bytes.subarray(0, magic.length)))
    throw badRequest('the object provided is unrecognized (does not begin as protobuf of Kubernetes does)');
  try {
    const { typeMeta, raw } = readMessage(bytes.subarray(magic.length), envelope);
    const { apiVersion, kind } = fieldsOf(typeMeta);
    const message = messages[`${textOf(apiVersion)}/${textOf(kind)}`];
    if (message === undefined) throw unsupportedMediaType(['application/json', 'application/yaml']);
    return { apiVersion, kind, ...readMessage(Buffer.from(textOf(raw), 'base64'), message) };
  } catch (thrown) {
    if (thrown instanceof RangeError || thrown instanceof TypeError)
      throw badRequest(`the object provided is unrecognized: ${thrown.message}`);
    throw thrown;
  }
};

const readMessage = (bytes: Uint8Array, message: Message): WireObject => {
  const reader = new BinaryReader(bytes);
  const object: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const [name, field] = message[number] ?? [];
    if (name === undefined || field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    if (field.kind === 'list') {
      object[name] = [
        ...((object[name] as readonly unknown[] | undefined) ?? []),
        readValue(reader, field.item),
      ];
    } else if (field.kind === 'map') {
      const entry = readMessage(reader.bytes(), { 1: ['key', { kind: 'text' }], 2: ['value', field.value] });
      object[name] = { ...fieldsOf(object[name]), [textOf(entry.key)]: entry.value ?? '' };
    } else {
      const value =
        wireType === WireType.LengthDelimited ? readValue(reader, field) : readPlain(reader, field);
      // Go writes what is empty, too; JSON leaves it out.
      if (value !== '' && value !== undefined) object[name] = value;
    }
  }
  return object;
};

const readPlain = (reader: BinaryReader, { kind }: Field): number | boolean =>
  kind === 'boolean' ? reader.bool() : Number(reader.int64());

/** Bytes are base64 in JSON. */
const readValue = (reader: BinaryReader, field: Field): unknown => {
  switch (field.kind) {
    case 'text':
      return reader.string();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'time':
      return readTime(reader.bytes());
    case 'message':
      return readMessage(reader.bytes(), field.of);
    case 'number':
    case 'boolean':
      return readPlain(reader, field);
    case 'list':
    case 'map':
      throw new TypeError('a list or map stands in a message alone');
  }
};

/** Undefined for the zero time, which Go writes as no seconds. */
const readTime = (bytes: Uint8Array): string | undefined => {
  const { seconds } = readMessage(bytes, { 1: ['seconds', { kind: 'number' }] });
  return typeof seconds === 'number' && seconds > 0
    ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
    : undefined;
};
