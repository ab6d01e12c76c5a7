import swagger from '@fastify/swagger';
import { fastify, type RouteOptions } from 'fastify';
import type { ServiceName } from '../service/service.ts';
import { lateCompilers } from './late-compilers.ts';

/** What a route says of itself. */
export type DescribedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema'>;

/**
 * The OpenAPI 3.1 description of these routes, of which none is served here. It is loaded and made when a client asks for it: that is
 * seldom, and the libraries are as large as all of Fastify.
 */
export const describeRoutes = async (
  service: ServiceName,
  routes: readonly DescribedRoute[],
): Promise<object> => {
  const app = fastify({ logger: false, exposeHeadRoutes: false, ...lateCompilers });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Gatehouse ${service}`, version: 'v1' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
  });
  for (const route of routes) app.route({ ...route, handler: async () => undefined });
  await app.ready();
  return app.swagger();
};
