/**
 * A payment that the customer makes by himself, later, told by the provider: nothing can be held or taken for it, so it
 * has not begun with the placement. Every other method is authorized as soon as the order is placed.
 */
export function isPaidLater({ method }: { readonly method: string }): boolean {
  return method === 'bank_slip';
}
