export type Address = {
  readonly name?: string;
  readonly line1?: string;
  readonly line2?: string;
  readonly city?: string;
  readonly region?: string;
  readonly postalCode?: string;
  readonly country?: string;
};

/** What must never be readable without the subject's key. `subject` names whose it is: `<tenant>~<customerId>`. */
export type PersonalData = {
  readonly subject: string;
  readonly value: { readonly shippingAddress?: Address; readonly email?: string };
};

/** Personal data, closed: the form in events, exports, views and logs. */
export type Sealed = { readonly keyId: string; readonly box: string };
