import type { Position } from '../../schemas/envelope.ts';
import type { Checkpoint } from './port.ts';

/**
 * Between the store's position and what a feed adds to it in a checkpoint: the last event that the consumer has seen
 * stands before it, so that whoever knows stores and no feed can tell which store it followed. Positions hold none.
 */
export const feedMark = '@';

/** The store's position in any feed's checkpoint; null: no event was seen yet. */
export function storePositionOf(checkpoint: Checkpoint): Position | null {
  const [position] = checkpoint.split(feedMark);
  return position === undefined || position === '' ? null : (position as Position);
}
