// Every family of environments whose recordings can be replayed.
package org.swarmgrad.cli.trace;

import java.util.List;
import java.util.stream.Collectors;

/** Every family of environments whose recordings can be replayed: a new one is a new line. */
final class Worlds {
  private static final List<World> ALL =
      List.of(
          ParticleWorlds.SPREAD,
          ParticleWorlds.TAG,
          ParticleWorlds.SPEAKER_LISTENER,
          ParticleWorlds.REFERENCE,
          CartPoleWorld.CART_POLE,
          ForagingWorld.FORAGING,
          WarehouseWorld.WAREHOUSE,
          OvercookedWorld.OVERCOOKED,
          SmaxWorld.SMAX);

  private Worlds() {}

  static World of(String id) {
    for (World world : ALL) {
      if (world.ids().matcher(id).matches()) {
        return world;
      }
    }
    throw new IllegalArgumentException(
        "environment is '"
            + id
            + "'; allowed: "
            + ALL.stream().map(world -> world.ids().pattern()).collect(Collectors.joining(", ")));
  }
}
