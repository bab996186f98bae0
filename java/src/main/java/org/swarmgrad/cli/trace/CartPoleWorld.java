// Recordings of Gymnasium's CartPole.
package org.swarmgrad.cli.trace;

import java.util.regex.Pattern;

final class CartPoleWorld {
  static final World CART_POLE =
      new World(
          Pattern.compile("CartPole-v1"),
          "CartPole-v1",
          parameters -> parameters.horizon("max_episode_steps"),
          false,
          false,
          null,
          World.TERMINATED_OR_TRUNCATED);

  private CartPoleWorld() {}
}
