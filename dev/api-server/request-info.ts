import { badRequest } from './api-status.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** Which resource a path names, and what is asked of it; the words of the server's own RequestInfo. */
export interface RequestInfo {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** '' for cluster-scoped resources, and for all namespaces. */
  readonly namespace: string;
  /** '' for collections. */
  readonly name: string;
  /** The one name that a list or a watch is for, by its fieldSelector: roles that name objects go by it. */
  readonly selectedName: string;
  readonly subresource: string;
}

/** Undefined for paths that are not of the form of a resource's: discovery, health and unknown ones. */
export const parseRequest = (method: string, url: URL): RequestInfo | undefined => {
  const parts = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  const [first, ...rest] = parts;
  const [group, version, ...path] = first === 'api' ? ['', ...rest] : first === 'apis' ? rest : [];
  if (group === undefined || version === undefined || path.length === 0) return undefined;
  const { namespace, resource, name = '', subresource = '' } = readPath(path);
  if (resource === undefined) return undefined;
  const watch = url.searchParams.get('watch');
  const watching = watch === 'true' || watch === '1';
  const verb = verbOf(method, name !== '', watching);
  if (verb === undefined) return undefined;
  const selectedName = name === '' ? nameIn(url.searchParams.get('fieldSelector') ?? '') : '';
  return { verb, group, version, resource, namespace, name, selectedName, subresource };
};

/** As the server has it: only a selector that says `metadata.name=NAME` names an object. */
const nameIn = (fieldSelector: string): string => {
  const [, name = ''] = /(?:^|,)metadata\.name==?([^,]+)/.exec(fieldSelector) ?? [];
  return name;
};

const decodePart = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`the path has a broken escape: ${part}`);
  }
};

interface ResourcePath {
  readonly namespace: string;
  readonly resource: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

const readPath = (path: readonly string[]): ResourcePath => {
  const [head, namespace, third] = path;
  // `namespaces/NS/status` is the namespace's own subresource; `namespaces/NS/pods` are pods.
  const inside = head === 'namespaces' && third !== undefined && third !== 'status' && third !== 'finalize';
  if (!inside) {
    const [resource, name, subresource] = path;
    return { namespace: '', resource, name, subresource };
  }
  const [, , resource, name, subresource] = path;
  return { namespace: namespace ?? '', resource, name, subresource };
};

const verbOf = (method: string, named: boolean, watching: boolean): Verb | undefined => {
  switch (method) {
    case 'GET':
      return watching ? 'watch' : named ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      return undefined;
  }
};
