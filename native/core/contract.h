// Whether a struct is an environment (environment.h), said in words a person understands, at the line that names the struct.
// Included at the end of environment.h; holds no rule of the contract beyond the names and types of its members.
#pragma once

namespace swarmgrad::SWARMGRAD_TARGET::contract {

// Stands for whatever visits state, chance and scratch.
struct Visitor {
  template <class T>
  SWARMGRAD_FUNCTION void operator()(const char *, Array<T> &, int, int) {}
};

template <class E>
concept Named = requires(const char *text) {
  text = E::id;
  text = E::summary;
  text = E::description;
};
template <class E>
concept Constructed = requires(const double *parameters) {
  E(parameters);
};
template <class E>
concept Shaped = requires(const E e, Group group) {
  int{e.horizon()};
  int{e.group_count()};
  group = e.group(0);
};
template <class E>
concept Stateful = requires(E e, Visitor visit) {
  e.state(visit);
};
template <class E>
concept Resets = requires(E e, Draws &draws) {
  e.reset(draws);
};
template <class E>
concept Observes = requires(E e, Observation out) {
  e.observe(0, out);
};
template <class E>
concept Acts = requires(E e, Int action) {
  e.act(0, action);
};
template <class E>
concept Rewards = requires(E e) {
  Float(e.reward(0));
};

// An optional member of another type than the contract's would never be called.
template <class E>
concept DrawsRightly = requires(E e, Draws &draws) {
  e.draw(draws);
}
|| !requires { &E::draw; };
template <class E>
concept ResolvesRightly = requires(E e) {
  e.resolve();
}
|| !requires { &E::resolve; };
template <class E>
concept SharesRightly = requires(E e) {
  e.share();
}
|| !requires { &E::share; };
template <class E>
concept EndsRightly = requires(E e) {
  Mask(e.done());
}
|| !requires { &E::done; };
template <class E>
concept LivesRightly = requires(E e) {
  Mask(e.alive(0));
}
|| !requires { &E::alive; };
template <class E>
concept MasksRightly = requires(E e, AvailableActions out) {
  e.available(0, out);
}
|| !requires { &E::available; };
template <class E>
concept FailsRightly = requires(E e, const char *text) {
  Mask(e.invalid());
  text = E::invalid_text;
}
|| !requires { &E::invalid; };
template <class E>
concept PhasesRightly = requires {
  int{E::phase_count};
}
|| !requires { &E::template phase<0>; };

template <class E>
concept Environment = Named<E> && Constructed<E> && Shaped<E> && Stateful<E> && Resets<E> && Observes<E> && Acts<E> &&
    Rewards<E> && DrawsRightly<E> && ResolvesRightly<E> && SharesRightly<E> && EndsRightly<E> && LivesRightly<E> &&
    MasksRightly<E> && FailsRightly<E> && PhasesRightly<E>;

}  // namespace swarmgrad::SWARMGRAD_TARGET::contract

// Checks that `Type`, in the namespace of the target, is an environment. In messages `name` stands for it.
#define SWARMGRAD_CHECK_ENVIRONMENT(Type, name)                                                                       \
  static_assert(contract::Named<Type>, name " needs: static constexpr const char *id, *summary, *description");       \
  static_assert(contract::Constructed<Type>, name " needs: explicit " name "(const double *parameter)");              \
  static_assert(contract::Shaped<Type>,                                                                               \
                name " needs: int horizon() const, int group_count() const, Group group(int) const");                 \
  static_assert(contract::Stateful<Type>, name " needs: void state(auto &visit)");                                    \
  static_assert(contract::Resets<Type>, name " needs: void reset(Draws &draws)");                                     \
  static_assert(contract::Observes<Type>, name " needs: void observe(int agent, Observation out)");                   \
  static_assert(contract::Acts<Type>, name " needs: void act(int agent, Int action)");                                \
  static_assert(contract::Rewards<Type>, name " needs: Float reward(int agent)");                                     \
  static_assert(contract::DrawsRightly<Type>, name "::draw must be: void draw(Draws &draws)");                        \
  static_assert(contract::ResolvesRightly<Type>, name "::resolve must be: void resolve()");                           \
  static_assert(contract::SharesRightly<Type>, name "::share must be: void share()");                                 \
  static_assert(contract::EndsRightly<Type>, name "::done must be: Mask done()");                                     \
  static_assert(contract::LivesRightly<Type>, name "::alive must be: Mask alive(int agent)");                         \
  static_assert(contract::MasksRightly<Type>, name "::available must be: void available(int, AvailableActions)");     \
  static_assert(contract::FailsRightly<Type>, name "::invalid must be: Mask invalid(), with invalid_text beside it"); \
  static_assert(contract::PhasesRightly<Type>, name "::phase needs: static constexpr int phase_count beside it")

// The last line of a user's header, inside the namespace: which struct is the environment.
#define SWARMGRAD_ENVIRONMENT(Type) \
  using UserEnvironment = Type;     \
  SWARMGRAD_CHECK_ENVIRONMENT(Type, #Type)
