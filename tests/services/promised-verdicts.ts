/** What the story promises, call by call, in the order it is told; POD stands for a pod's address. */
export const promisedVerdicts: readonly string[] = [
  'frontend > GET backend.demo:8080/: 403 denied',
  'frontend > GET POD:8080/: 403 denied',
  'frontend > GET backend.demo:8080/: 200 allowed',
  'frontend > GET backend.demo:8080/: 200 allowed',
  'frontend > GET POD:8080/: 200 allowed',
  'frontend > GET backend.demo:9000/: 403 denied',
  'intruder > GET backend.demo:8080/: 403 denied',
  "frontend's address, no certificate: 403 denied",
  "frontend's address, certificate of another root: refused",
  'frontend > GET backend.demo:9000/api/x: 200 allowed',
  'frontend > POST backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/admin: 403 denied',
  'frontend > GET backend.demo:9000/api/../admin: 403 denied',
  'intruder > GET backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/api/x: 403 denied',
  'frontend > GET backend.demo:9000/api/x (x-tenant: blue): 200 allowed',
  'frontend > GET backend.demo:9000/api/x: 404 no route',
  'frontend > POST backend.demo:9000/api/x (x-tenant: blue): 404 no route',
  'frontend > GET backend.demo:9000/admin (x-tenant: blue): 404 no route',
  'intruder > GET backend.demo:9000/api/x (x-tenant: blue): 403 denied',
  'frontend > GET backend.demo:8080/: 403 denied',
];

/** The verdicts of a run, in which every pod's address is POD. */
export const withoutAddresses = (verdicts: readonly string[]): readonly string[] =>
  verdicts.map((verdict) => verdict.replace(/\b127(?:\.\d+){3}/, 'POD'));
