import express from 'express';
import type { Caller } from '../access/caller.js';
import type { Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import type { SigningKey } from '../platform/signing.js';

export function oversightOperations(_platform: Platform, _options: { signingKey: SigningKey }): Operation<Caller>[] {
  return [];
}
export function wellKnownRoutes(_platform: Platform): express.Router {
  return express.Router();
}
