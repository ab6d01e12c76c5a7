import { GatehouseError } from '@gatehouse/shared/error';
import type { KubeClient } from '@gatehouse/shared/kube/client';
import type { Caller, TokenReviewer } from '../certify.ts';
import type { Named } from '../core/token-claims.ts';

export interface TokenReviewOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly audience: string;
  readonly requirePodBoundToken: boolean;
}

/** An API server has flow control of its own; a cold restart of the cluster must not use up our share of it. */
const maxAsking = 50;

/** 16 KiB each at most: 64 MB of tokens. */
const maxWaiting = 4_096;

/** From the call to the verdict. The proxy sets no deadline and asks again 10 s after an error. */
const patienceMs = 8_000;

/**
 * Asks the API server whose token it is (design §4 step 3). Calls with the same token that come while it is asked share
 * its answer; nothing is remembered beyond that, so that a deleted pod's token is refused as soon as the API server
 * refuses it: it remembers a good verdict itself, for ten seconds (seen).
 */
export class TokenReview implements TokenReviewer {
  readonly #options: TokenReviewOptions;
  readonly #shared = new Map<string, Promise<Caller>>();
  /** Oldest first. */
  readonly #waiting = new Set<() => void>();
  #asking = 0;

  constructor(options: TokenReviewOptions) {
    this.#options = options;
  }

  /** How many reviews wait for their turn at the API server. */
  get waiting(): number {
    return this.#waiting.size;
  }

  review(bytes: Uint8Array): Promise<Caller> {
    const token = Buffer.from(bytes).toString('latin1');
    // RFC 7515 §3.1: base64url and dots. Whatever else was sent is not repeated to anybody.
    if (!/^[\w.=~+/-]+$/.test(token)) {
      throw new GatehouseError('invalid-argument', 'the token is no text that could be a token');
    }
    const shared = this.#shared.get(token);
    if (shared !== undefined) return shared;
    if (this.#waiting.size >= maxWaiting) {
      throw new GatehouseError('unavailable', `${maxWaiting} tokens wait to be reviewed: try again`);
    }
    const review = this.#inTurn(token).finally(() => this.#shared.delete(token));
    this.#shared.set(token, review);
    return review;
  }

  async #inTurn(token: string): Promise<Caller> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patienceMs);
    try {
      await this.#turn(late.signal);
      try {
        return await this.#ask(token, late.signal);
      } finally {
        this.#passOn();
      }
    } catch (error) {
      if (!late.signal.aborted) throw error;
      throw new GatehouseError(
        'unavailable',
        `the API server reviewed no token within ${patienceMs / 1000} s`,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  #turn(signal: AbortSignal): Promise<void> | void {
    if (this.#asking < maxAsking) {
      this.#asking += 1;
      return;
    }
    return new Promise((resolve, reject) => {
      const next = (): void => {
        this.#waiting.delete(next);
        resolve();
      };
      this.#waiting.add(next);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(next);
        reject(signal.reason);
      });
    });
  }

  /** A turn goes to whoever has waited longest; only one that nobody waits for is given back. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#asking -= 1;
    else next();
  }

  async #ask(token: string, signal: AbortSignal): Promise<Caller> {
    const { client, audience, requirePodBoundToken } = this.#options;
    signal.throwIfAborted();
    const { status, body } = await client.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      },
      signal,
    });
    if (status !== 200 && status !== 201) {
      throw new GatehouseError('unavailable', `the API server does not review tokens (${status})`);
    }
    return readVerdict(body, { audience, requirePodBoundToken });
  }
}

type Json = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

const readVerdict = (
  body: Uint8Array,
  { audience, requirePodBoundToken }: Omit<TokenReviewOptions, 'client'>,
): Caller => {
  const status = asObject(parse(body)?.status);
  if (status === undefined) throw new GatehouseError('unavailable', 'the API server answered no TokenReview');
  if (status.authenticated !== true) {
    throw refused(typeof status.error === 'string' ? status.error : 'the API server does not know it');
  }
  // A server that knows nothing of audiences answers without: its token could be for anybody.
  if (!Array.isArray(status.audiences) || !status.audiences.includes(audience)) {
    throw refused(`it is not for the audience ${audience}`);
  }
  const user = asObject(status.user);
  const name = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(user?.username ?? ''));
  if (name?.[1] === undefined || name[2] === undefined) throw refused('it is no ServiceAccount');
  const pod = podOf(asObject(user?.extra));
  if (pod === undefined && requirePodBoundToken) {
    throw refused('it is not bound to a pod: mount a projected token (GATEHOUSE_REQUIRE_POD_BOUND_TOKEN)');
  }
  return { namespace: name[1], serviceAccount: name[2], pod };
};

const parse = (body: Uint8Array): Json | undefined => {
  try {
    return asObject(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch {
    return undefined;
  }
};

const podOf = (extra: Json | undefined): Named | undefined => {
  const one = (key: string): string | undefined => {
    const values = extra?.[`authentication.kubernetes.io/${key}`];
    return Array.isArray(values) && values.length === 1 && typeof values[0] === 'string' && values[0] !== ''
      ? values[0]
      : undefined;
  };
  const name = one('pod-name');
  const uid = one('pod-uid');
  return name === undefined || uid === undefined ? undefined : { name, uid };
};

const refused = (why: string): GatehouseError =>
  new GatehouseError('failed-precondition', `the token is not accepted: ${why}`);
