// Two games of the catalogue once more, in Java: what the price of Java rules is measured with. Not
// a second source of the rules: the benchmarks demand the native form's bits.
package org.swarmgrad.bench;

import static org.swarmgrad.Cohort.MAXIMUM;

import java.util.List;
import org.swarmgrad.Cohort;
import org.swarmgrad.Environment;
import org.swarmgrad.JavaEnvironment;

final class JavaGames {
  private JavaGames() {}

  /** The Java form of a game of the catalogue with its default parameters. */
  static JavaEnvironment of(String id) {
    return switch (id) {
      case "simple_spread_v3" -> JavaEnvironment.of(id, SimpleSpread::new);
      case "CartPole-v1" -> JavaEnvironment.of(id, CartPole::new);
      default ->
          throw new IllegalArgumentException(
              "environment is '" + id + "'; allowed: simple_spread_v3, CartPole-v1");
    };
  }

  /** Three agents cover three landmarks. Arrays are [coordinate][episode]. */
  private static final class SimpleSpread implements Environment {
    private static final int AGENTS = 3;
    private static final float REACH = 0.15f + 0.15f;
    private static final float MARGIN = 1e-3f;
    private static final float TOUCHING = squareLimit(REACH);
    private static final float FELT = (REACH + 18 * MARGIN) * (REACH + 18 * MARGIN);

    private final float[][] position = new float[2 * AGENTS][MAXIMUM];
    private final float[][] velocity = new float[2 * AGENTS][MAXIMUM];
    private final float[][] landmark = new float[2 * AGENTS][MAXIMUM];
    private final float[][] force = new float[2 * AGENTS][MAXIMUM];

    @Override
    public List<Agents> groups() {
      return List.of(new Agents("agent", AGENTS, 6 * AGENTS, 5));
    }

    @Override
    public int horizon() {
      return 25;
    }

    @Override
    public void reset(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (float[] coordinate : position) {
          coordinate[e] = cohort.uniform(e, -1, 1);
        }
        for (float[] coordinate : landmark) {
          coordinate[e] = cohort.uniform(e, -1, 1);
        }
        for (float[] coordinate : velocity) {
          coordinate[e] = 0;
        }
      }
    }

    @Override
    public void observe(Cohort cohort) {
      for (int agent = 0; agent < AGENTS; agent++) {
        float[] out = cohort.observation(agent);
        int feature = 0;
        for (int axis = 0; axis < 2; axis++) {
          System.arraycopy(velocity[2 * agent + axis], 0, out, feature++ * MAXIMUM, MAXIMUM);
        }
        for (int axis = 0; axis < 2; axis++) {
          System.arraycopy(position[2 * agent + axis], 0, out, feature++ * MAXIMUM, MAXIMUM);
        }
        for (int k = 0; k < 2 * AGENTS; k++) {
          difference(landmark[k], position[2 * agent + k % 2], out, feature++ * MAXIMUM);
        }
        for (int k = 0; k < 2 * AGENTS; k++) {
          if (k / 2 != agent) {
            difference(position[k], position[2 * agent + k % 2], out, feature++ * MAXIMUM);
          }
        }
      }
    }

    private static void difference(float[] a, float[] b, float[] out, int at) {
      for (int e = 0; e < MAXIMUM; e++) {
        out[at + e] = a[e] - b[e];
      }
    }

    @Override
    public void step(Cohort cohort) {
      for (int agent = 0; agent < AGENTS; agent++) {
        for (int e = 0; e < cohort.episodes(); e++) {
          int move = cohort.action(agent, e);
          force[2 * agent][e] = move == 1 ? -5 : move == 2 ? 5 : 0;
          force[2 * agent + 1][e] = move == 3 ? -5 : move == 4 ? 5 : 0;
        }
      }
      for (int agent = 0; agent < AGENTS; agent++) {
        for (int other = agent + 1; other < AGENTS; other++) {
          push(agent, other, cohort.episodes());
        }
      }
      for (int k = 0; k < 2 * AGENTS; k++) {
        for (int e = 0; e < MAXIMUM; e++) {
          position[k][e] += velocity[k][e] * 0.1f;
          velocity[k][e] = velocity[k][e] * 0.75f + force[k][e] * 0.1f;
        }
      }
      for (int e = 0; e < cohort.episodes(); e++) {
        float coverage = coverage(e);
        for (int agent = 0; agent < AGENTS; agent++) {
          cohort.reward(agent, e, coverage * 0.5f - collisions(agent, e) * 0.5f);
        }
      }
    }

    private void push(int agent, int other, int episodes) {
      for (int e = 0; e < episodes; e++) {
        float x = position[2 * agent][e] - position[2 * other][e];
        float y = position[2 * agent + 1][e] - position[2 * other + 1][e];
        float squared = x * x + y * y;
        if (squared < FELT) {
          float distance = (float) Math.sqrt(squared);
          float depth = (REACH - distance) / MARGIN;
          float soft = NativeMath.log(1 + NativeMath.exp(-Math.abs(depth)));
          float penetration = MARGIN * ((depth > 0 ? depth : 0) + soft);
          float pushX = distance > 0 ? 100 * x / distance * penetration : 0;
          float pushY = distance > 0 ? 100 * y / distance * penetration : 0;
          force[2 * agent][e] += pushX;
          force[2 * agent + 1][e] += pushY;
          force[2 * other][e] -= pushX;
          force[2 * other + 1][e] -= pushY;
        }
      }
    }

    private static float squared(float[][] a, int i, float[][] b, int j, int e) {
      float x = a[2 * i][e] - b[2 * j][e];
      float y = a[2 * i + 1][e] - b[2 * j + 1][e];
      return x * x + y * y;
    }

    private float coverage(int e) {
      float sum = 0;
      for (int l = 0; l < AGENTS; l++) {
        float nearest = squared(position, 0, landmark, l, e);
        for (int agent = 1; agent < AGENTS; agent++) {
          float distance = squared(position, agent, landmark, l, e);
          nearest = nearest < distance ? nearest : distance;
        }
        sum += (float) Math.sqrt(nearest);
      }
      return -sum;
    }

    private float collisions(int agent, int e) {
      float count = 0;
      for (int other = 0; other < AGENTS; other++) {
        if (other != agent && squared(position, agent, position, other, e) < TOUCHING) {
          count++;
        }
      }
      return count;
    }

    /** The least square whose root is not below `distance`. */
    private static float squareLimit(float distance) {
      float limit = distance * distance;
      while ((float) Math.sqrt(limit) < distance) {
        limit = Math.nextUp(limit);
      }
      while ((float) Math.sqrt(Math.nextDown(limit)) >= distance) {
        limit = Math.nextDown(limit);
      }
      return limit;
    }
  }

  /** A pole on a cart: one agent, episodes that end early. */
  private static final class CartPole implements Environment {
    private final float[][] state = new float[4][MAXIMUM];

    @Override
    public List<Agents> groups() {
      return List.of(new Agents("agent", 1, 4, 2));
    }

    @Override
    public int horizon() {
      return 500;
    }

    @Override
    public void reset(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (float[] number : state) {
          number[e] = cohort.uniform(e, -0.05f, 0.05f);
        }
      }
    }

    @Override
    public void observe(Cohort cohort) {
      float[] out = cohort.observation(0);
      for (int k = 0; k < 4; k++) {
        System.arraycopy(state[k], 0, out, k * MAXIMUM, MAXIMUM);
      }
    }

    @Override
    public void step(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        if (!cohort.playing(e)) {
          continue;
        }
        float xDot = state[1][e];
        float theta = state[2][e];
        float thetaDot = state[3][e];
        float force = cohort.action(0, e) == 1 ? 10 : -10;
        float cosine = NativeMath.cos(theta);
        float sine = NativeMath.sin(theta);
        float thrust = (force + 0.05f * thetaDot * thetaDot * sine) / 1.1f;
        float thetaAcceleration =
            (9.8f * sine - cosine * thrust)
                / (0.5f * (4.0f / 3.0f - 0.1f * cosine * cosine / 1.1f));
        float xAcceleration = thrust - 0.05f * thetaAcceleration * cosine / 1.1f;
        state[0][e] += 0.02f * xDot;
        state[1][e] = xDot + 0.02f * xAcceleration;
        state[2][e] = theta + 0.02f * thetaDot;
        state[3][e] = thetaDot + 0.02f * thetaAcceleration;
        cohort.reward(0, e, 1);
        if (Math.abs(state[0][e]) > 2.4f || Math.abs(state[2][e]) > 0.20943951f) {
          cohort.end(e);
        }
      }
    }
  }

  /** The engine's elementary functions where the games need them. */
  private static final class NativeMath {
    private static final float ROUNDING_SHIFT = 0x1.8p23f;

    /** Of x between -88 and 0. */
    static float exp(float x) {
      float shifted = Math.fma(x, 0x1.715476p+0f, ROUNDING_SHIFT);
      float n = shifted - ROUNDING_SHIFT;
      float r = Math.fma(-n, -0x1.05c61p-29f, Math.fma(-n, 0x1.62e43p-1f, x));
      float p = Math.fma(0x1.6a4b36p-10f, r, 0x1.12398ep-7f);
      p = Math.fma(p, r, 0x1.5558b2p-5f);
      p = Math.fma(p, r, 0x1.555492p-3f);
      p = Math.fma(p, r, 0x1.fffffcp-2f);
      p = Math.fma(p, r, 1);
      p = Math.fma(p, r, 1);
      float scaled =
          Float.intBitsToFloat(
              Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
      return x < -0x1.5d589ep+6f ? 0 : scaled;
    }

    /** Of x between 1 and 2. */
    static float log(float x) {
      int pattern = Float.floatToRawIntBits(x);
      int exponent = (pattern - 0x3f3504f3) >> 23;
      float f = Float.intBitsToFloat(pattern - (exponent << 23)) - 1;
      float p = Math.fma(7.0376836292e-2f, f, -1.1514610310e-1f);
      p = Math.fma(p, f, 1.1676998740e-1f);
      p = Math.fma(p, f, -1.2420140846e-1f);
      p = Math.fma(p, f, 1.4249322787e-1f);
      p = Math.fma(p, f, -1.6668057665e-1f);
      p = Math.fma(p, f, 2.0000714765e-1f);
      p = Math.fma(p, f, -2.4999993993e-1f);
      p = Math.fma(p, f, 3.3333331174e-1f);
      p = Math.fma(p, f, -0.5f);
      float low = Math.fma(f * f, p, exponent * -0x1.bd0106p-13f);
      return Math.fma((float) exponent, 0x1.63p-1f, low + f);
    }

    /** Of x between -pi/4 and pi/4. */
    static float sin(float x) {
      float square = x * x;
      float s = Math.fma(-1.9515295891e-4f, square, 8.3321608736e-3f);
      s = Math.fma(s, square, -1.6666654611e-1f);
      return x == 0 ? x : Math.fma(s * square, x, x);
    }

    /** Of x between -pi/4 and pi/4. */
    static float cos(float x) {
      float square = x * x;
      float c = Math.fma(2.443315711809948e-5f, square, -1.388731625493765e-3f);
      c = Math.fma(c, square, 4.166664568298827e-2f);
      c = Math.fma(c, square, -0.5f);
      return Math.fma(c, square, 1);
    }
  }
}
