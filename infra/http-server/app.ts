import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What routes are registered on: a schema is the type, the validation and the OpenAPI document. `request.id` is the trace id. */
export type HttpApp = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;
export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;

/** The routes of one service: registered on an app, from its dependencies. */
export type Routes = (app: HttpApp) => void;
