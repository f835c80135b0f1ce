/** Any number of numbers at 8 bytes each. */
export type GrowingNumbers = {
  readonly size: () => number;
  /** @returns its index */
  readonly add: (number: number) => number;
  /** NaN beyond the end. */
  readonly at: (index: number) => number;
  readonly set: (index: number, number: number) => void;
  /** A copy in ascending order. */
  readonly sorted: () => Float64Array;
};

const firstSize = 4_096;

export function growingNumbers(): GrowingNumbers {
  let numbers = new Float64Array(firstSize);
  let size = 0;
  return {
    size: () => size,
    add: (number) => {
      if (size === numbers.length) {
        const larger = new Float64Array(size * 2);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[size] = number;
      size += 1;
      return size - 1;
    },
    at: (index) => (index < size ? (numbers[index] ?? Number.NaN) : Number.NaN),
    set: (index, number) => {
      numbers[index] = number;
    },
    sorted: () => numbers.slice(0, size).sort(),
  };
}
