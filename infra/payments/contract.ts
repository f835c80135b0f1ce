import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthorizePayment, PaymentResult, Payments } from './port.ts';

export type OpenedPayments = { readonly payments: Payments; readonly close: () => Promise<void> };

/** What every payments adapter must do. `open` gives an adapter on an empty gateway. */
export function paymentsContract(name: string, open: () => Promise<OpenedPayments>): void {
  describe(`payments: ${name}`, () => {
    let opened: OpenedPayments;
    let payments: Payments;
    let orders = 0;
    beforeAll(async () => {
      opened = await open();
      payments = opened.payments;
    });
    afterAll(() => opened.close());

    const authorization = (changes: Partial<AuthorizePayment> = {}): AuthorizePayment => {
      const orderId = `order-${(orders += 1)}`;
      const key = `${orderId}/authorize-payment/1`;
      return { key, orderId, paymentId: 'p1', amount: 1000, currency: 'EUR', method: 'card', ...changes };
    };
    const captureOf = (request: AuthorizePayment, authorizationId: string, amount = request.amount) => {
      const { orderId, paymentId, currency } = request;
      return { key: `${orderId}/capture-payment/1`, orderId, paymentId, amount, currency, authorizationId };
    };
    const refundOf = (request: AuthorizePayment, captureId: string, refund: { attempt: number; amount: number }) => {
      const { orderId, paymentId, currency } = request;
      const key = `${orderId}/refund/${refund.attempt}`;
      return { key, orderId, paymentId, currency, amount: refund.amount, captureId };
    };
    const undoOf = ({ orderId, paymentId }: AuthorizePayment, effectKey: string) => {
      return { key: `${effectKey}/undo`, orderId, paymentId, effectKey };
    };
    const authorized = async () => {
      const request = authorization();
      return { request, authorizationId: providerIdOf(await payments.authorize(request)) };
    };
    const captured = async () => {
      const { request, authorizationId } = await authorized();
      const captureId = providerIdOf(await payments.capture(captureOf(request, authorizationId)));
      return { request, captureId };
    };

    it('authorizes, captures and refunds the same money', async () => {
      const { request, captureId } = await captured();
      const refund = await payments.refund(refundOf(request, captureId, { attempt: 1, amount: 1000 }));
      expect(refund).toMatchObject({ outcome: 'succeeded', amount: 1000, currency: 'EUR' });
    });

    it('answers a repeated key with its first result', async () => {
      const request = authorization();
      const first = await payments.authorize(request);
      expect(await payments.authorize(request)).toEqual(first);
    });

    it('answers twins in flight with one result', async () => {
      const request = authorization();
      const answers = await Promise.all(Array.from({ length: 10 }, () => payments.authorize(request)));
      expect(new Set(answers.map(providerIdOf)).size).toBe(1);
    });

    it('refuses a key of another request', async () => {
      const request = authorization();
      await payments.authorize(request);
      const failure = { code: 'DEPENDENCY_REFUSED', retryable: false };
      await expect(payments.authorize({ ...request, amount: 999 })).rejects.toMatchObject(failure);
      await expect(payments.authorize({ ...request, paymentId: 'p2' })).rejects.toMatchObject(failure);
      await expect(payments.void({ ...undoOf(request, 'other'), key: request.key })).rejects.toMatchObject(failure);
    });

    it('declines the card token tok_declined, also when asked again', async () => {
      const request = authorization({ token: 'tok_declined' });
      expect(await payments.authorize(request)).toEqual({ outcome: 'declined', code: 'CARD_DECLINED' });
      expect(await payments.authorize(request)).toEqual({ outcome: 'declined', code: 'CARD_DECLINED' });
    });

    it('takes another token under the next attempt of a declined card', async () => {
      const request = authorization({ token: 'tok_declined' });
      await payments.authorize(request);
      const next = { ...request, key: `${request.orderId}/authorize-payment/2`, token: 'tok_good' };
      expect(await payments.authorize(next)).toMatchObject({ outcome: 'succeeded' });
    });

    it('captures at most what is authorized', async () => {
      const { request, authorizationId } = await authorized();
      const part = captureOf(request, authorizationId, 600);
      expect(await payments.capture(part)).toMatchObject({ outcome: 'succeeded', amount: 600 });
      const tooMuch = { ...part, key: `${part.key}b`, amount: 401 };
      expect(await payments.capture(tooMuch)).toEqual({ outcome: 'declined', code: 'EXCEEDS_AUTHORIZED' });
      expect(await payments.capture({ ...part, key: `${part.key}c`, amount: 400 })).toMatchObject({ amount: 400 });
    });

    it('declines a capture in another currency', async () => {
      const { request, authorizationId } = await authorized();
      const other = { ...captureOf(request, authorizationId), currency: 'USD' };
      expect(await payments.capture(other)).toEqual({ outcome: 'declined', code: 'EXCEEDS_AUTHORIZED' });
    });

    it("declines a capture on another order's authorization", async () => {
      const { authorizationId } = await authorized();
      const other = captureOf(authorization(), authorizationId);
      expect(await payments.capture(other)).toEqual({ outcome: 'declined', code: 'AUTHORIZATION_NOT_FOUND' });
    });

    it('refunds at most what is captured', async () => {
      const { request, captureId } = await captured();
      const refund = (attempt: number, amount: number) =>
        payments.refund(refundOf(request, captureId, { attempt, amount }));
      expect(await refund(1, 700)).toMatchObject({ outcome: 'succeeded', amount: 700 });
      expect(await refund(2, 301)).toEqual({ outcome: 'declined', code: 'EXCEEDS_CAPTURED' });
      expect(await refund(3, 300)).toMatchObject({ outcome: 'succeeded', amount: 300 });
    });

    it('declines a refund of what was never captured', async () => {
      const refund = refundOf(authorization(), 'capture_unknown', { attempt: 1, amount: 1 });
      expect(await payments.refund(refund)).toEqual({ outcome: 'declined', code: 'CAPTURE_NOT_FOUND' });
    });

    it('releases an authorization once, however often it is voided', async () => {
      const { request } = await authorized();
      const undo = undoOf(request, request.key);
      const first = await payments.void(undo);
      expect(first).toMatchObject({ outcome: 'succeeded', amount: 1000, currency: 'EUR' });
      expect(await payments.void(undo)).toEqual(first);
      expect(await payments.void({ ...undo, key: `${undo.key}/2` })).toMatchObject({ outcome: 'succeeded', amount: 0 });
    });

    it('declines a capture after a void', async () => {
      const { request, authorizationId } = await authorized();
      await payments.void(undoOf(request, request.key));
      const capture = await payments.capture(captureOf(request, authorizationId));
      expect(capture).toEqual({ outcome: 'declined', code: 'AUTHORIZATION_VOIDED' });
    });

    it('declines a void after a capture', async () => {
      const { request } = await captured();
      const declined = { outcome: 'declined', code: 'ALREADY_CAPTURED' };
      expect(await payments.void(undoOf(request, request.key))).toEqual(declined);
      expect(await payments.void(undoOf(request, `${request.orderId}/capture-payment/1`))).toEqual(declined);
    });

    it('undoes a declined run without any effect', async () => {
      const request = authorization({ token: 'tok_declined' });
      await payments.authorize(request);
      expect(await payments.void(undoOf(request, request.key))).toMatchObject({ outcome: 'succeeded', amount: 0 });
      expect(await payments.find(request.key)).toEqual({ outcome: 'declined', code: 'CARD_DECLINED' });
    });

    it('declines a run that comes after its undo', async () => {
      const request = authorization();
      expect(await payments.void(undoOf(request, request.key))).toMatchObject({ outcome: 'succeeded', amount: 0 });
      const tombstoned = { outcome: 'declined', code: 'TOMBSTONED' };
      expect(await payments.find(request.key)).toEqual(tombstoned);
      expect(await payments.authorize(request)).toEqual(tombstoned);
      expect(await payments.find(request.key)).toEqual(tombstoned);
    });

    it('declines a capture that comes after its undo, and leaves the authorization usable', async () => {
      const { request, authorizationId } = await authorized();
      const capture = captureOf(request, authorizationId);
      await payments.void(undoOf(request, capture.key));
      expect(await payments.capture(capture)).toEqual({ outcome: 'declined', code: 'TOMBSTONED' });
      expect(await payments.capture({ ...capture, key: `${capture.key}b` })).toMatchObject({ outcome: 'succeeded' });
    });

    it('finds a result by its key', async () => {
      const request = authorization();
      expect(await payments.find(request.key)).toBe('not-found');
      const result = await payments.authorize(request);
      expect(await payments.find(request.key)).toEqual(result);
    });

    it('keeps amounts up to 2^53 - 1 exact', async () => {
      const request = authorization({ amount: Number.MAX_SAFE_INTEGER });
      expect(await payments.authorize(request)).toMatchObject({ amount: Number.MAX_SAFE_INTEGER });
    });
  });
}

function providerIdOf(result: PaymentResult): string {
  if (result.outcome !== 'succeeded') throw new Error(`expected success, got ${result.code}`);
  return result.providerId;
}
