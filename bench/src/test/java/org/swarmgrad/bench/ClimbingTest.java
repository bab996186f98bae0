// Runs the comparison in the climbing game from a few starts, and draws small pictures to see that
// they can be drawn.
package org.swarmgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.Engine;
import org.swarmgrad.reference.ExactAscent;

class ClimbingTest {
  @Test
  void trainingEndsWhereExactAscentEnds() {
    List<Climbing.Pair> pairs = Climbing.compare(4);
    assertThat(pairs).allMatch(Climbing.Pair::agrees);
    assertThat(pairs)
        .extracting(Climbing.Pair::exact)
        .contains(new Climbing.End(0, 0, true), new Climbing.End(1, 1, true));
  }

  @Test
  void aStartIsThePolicyItNames() {
    try (Engine engine = Climbing.open(new Climbing.Start(0.5, 0.2), 3)) {
      double[][] policy = ExactAscent.policy(engine);
      assertThat(policy[0]).containsExactly(new double[] {0.5, 0.25, 0.25}, within(1e-6));
      assertThat(policy[1]).containsExactly(new double[] {0.2, 0.4, 0.4}, within(1e-6));
    }
  }

  @Test
  void anEndIsReachedWhereItIsPlayedNearlyAlways() {
    double[] sure = {0.01, 0.97, 0.02};
    double[] unsure = {0.1, 0.2, 0.7};
    assertThat(Climbing.End.of(new double[][] {sure, sure}))
        .isEqualTo(new Climbing.End(1, 1, true))
        .hasToString("(1, 1)");
    assertThat(Climbing.End.of(new double[][] {sure, unsure})).hasToString("near (1, 2)");
    Climbing.End near = Climbing.End.of(new double[][] {sure, unsure});
    assertThat(new Climbing.Pair(null, near, near).agrees()).isFalse();
  }

  @Test
  void curvesAreDrawn(@TempDir Path folder) throws Exception {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        """
        {"agent_steps":10,"team_return_mean":1.0}
        {"agent_steps":20,"team_return_mean":2.0}
        """);
    Files.writeString(folder.resolve("timing.jsonl"), "{\"seconds\":1}\n{\"seconds\":2}\n");
    Path picture = folder.resolve("curve.png");
    assertThat(Main.run("--plot", picture.toString(), folder.toString())).isZero();
    assertThat(ImageIO.read(picture.toFile()).getWidth()).isPositive();
    assertThat(Main.run("--plot", "curve.gif", folder.toString())).isEqualTo(2);
    assertThat(Main.run("--climbing", "0")).isEqualTo(2);
  }
}
