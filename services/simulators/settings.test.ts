import { expect, it } from 'vitest';
import { simulatorSettings } from './settings.ts';

it('has defaults that are quick and faultless', () => {
  const common = { delayMs: 20, errorRate: 0, timeoutAfterSuccessRate: 0 };
  const logistics = { ...common, deliveryMs: 200 };
  expect(simulatorSettings({})).toEqual({ payment: common, logistics, risk: common });
});

it('reads every variable', () => {
  const env = { SIM_PAYMENT_DELAY_MS: '5', SIM_RISK_ERROR_RATE: '0.5', SIM_LOGISTICS_TIMEOUT_AFTER_SUCCESS_RATE: '1' };
  const { payment, risk, logistics } = simulatorSettings(env);
  expect([payment.delayMs, risk.errorRate, logistics.timeoutAfterSuccessRate]).toEqual([5, 0.5, 1]);
});

it('names all impossible values at once', () => {
  const env = { SIM_PAYMENT_DELAY_MS: '1.5', SIM_RISK_ERROR_RATE: '2', SIM_LOGISTICS_DELIVERY_MS: 'soon' };
  expect(() => simulatorSettings(env)).toThrow(
    /SIM_PAYMENT_DELAY_MS.*SIM_LOGISTICS_DELIVERY_MS.*SIM_RISK_ERROR_RATE must be a number 0 to 1/,
  );
});
