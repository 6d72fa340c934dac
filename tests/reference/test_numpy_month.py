"""The month of the system once more, in plain NumPy with loops, from docs/explanation/the-system.md.

It knows nothing of the modules that compute the month. What it is given are inputs: drivers, regimes, the roads laid,
the first counts and the natural values of the parameters. The engine in double precision must agree to 1e-6 in every
stock and account.
"""

from itertools import pairwise

import numpy as np
import pytest
from random_packs import model, whole
from system_runs import run_engine

from zhol.system import Action, Effect

RESIDENT, WORKER, VISITOR, PROTECTED, PENDING, CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED = range(10)
SETTLE, WORK, VISIT, ASYLUM, PASSAGE = range(5)
IRREGULAR = (CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED)
MODES = ("land", "sea", "air")
SPIN_UP = 36
FLOWS = (
    "attempts", "interceptions", "stranded", "irregular_inflow", "returns", "removals", "detections", "onward",
    "regularised", "recognised", "refused", "naturalised", "deaths_on_road", "deaths", "exposure", "remittances",
    "quota_unmet", "public_cost",
)  # fmt: skip


class Setting:
    """What is given: places, corridors, roads, first counts, parameters of one draw, multipliers of levers."""

    def __init__(self, system, p, start):
        given = system.world(start)
        self.p = p
        self.places = system.places
        self.at = {place: i for i, place in enumerate(system.places)}
        self.pairs = system.corridors
        self.index = {pair: c for c, pair in enumerate(self.pairs)}
        self.from_ = [self.at[o] for o, _ in self.pairs]
        self.to = [self.at[d] for _, d in self.pairs]
        self.legs = list(system.roads.legs.select("origin", "destination", "mode").iter_rows())
        self.roads = [self._roads_of(system, c) for c in range(len(self.pairs))]
        self.quota = [system.quotas.get(pair, np.inf) for pair in self.pairs]
        self.stock_log, self.stock_sd = given.stock_log, given.stock_sd
        self.protected, self.pending = given.protected, given.pending
        self.record = given.recognition_log_odds
        self.labour_effect, self.asylum_effect = np.zeros(len(self.pairs)), np.full(len(self.pairs), -5.0)
        keys = system.keys()
        for name, effect in zip(keys["labour_corridor"], p["labour_corridor"], strict=True):
            self.labour_effect[self.index[tuple(name.split(">"))]] = effect
        for name, effect in zip(keys["asylum_corridor"], p["asylum_corridor"], strict=True):
            self.asylum_effect[self.index[tuple(name.split(">"))]] = effect

    def _roads_of(self, system, c):
        """Roads of a corridor: their number, legs, transit places, law of price and capacity."""
        o, d = self.pairs[c]
        numbers = {(a, b): i for i, (a, b, _) in enumerate(self.legs)}
        out = []
        rows = system.roads.table
        for a, b, r, places in rows.select("origin", "destination", "road", "places").iter_rows():
            if (a, b) == (o, d):
                chain = places.split(">")
                price = system.roads.log_price_mean[c, r], system.roads.log_price_sd[c, r]
                size = system.roads.log_capacity_mean[c, r], system.roads.log_capacity_sd[c, r]
                out.append((r, [numbers[leg] for leg in pairwise(chain)], chain[1:-1], price, size))
        return out


def multipliers(s, actions, effects, number):
    """Multiplier of each lever and member: exp(sum of effect times intensity times the part that is not lost)."""
    leak = np.array(s.p["leakage"], dtype=float)
    for action, effect, size, x in ((a, e, z, x(number)) for a, e, z, x in each(actions, effects)):
        if effect.lever == "leakage":
            i = s.at[action.actor]
            odds = leak[i] / (1 - leak[i]) * np.exp(size * x)
            leak[i] = odds / (1 + odds)
    out = {}
    for action, effect, size, x in ((a, e, z, x(number)) for a, e, z, x in each(actions, effects)):
        if effect.lever == "leakage":
            continue
        members = s.legs if effect.where == "leg" else s.pairs
        lever = out.setdefault(effect.lever, np.ones(len(members)))
        for i, member in enumerate(members):
            mine, other = (member[0], member[1]) if effect.where == "origin" else (member[1], member[0])
            if mine == action.actor and action.partner in (None, other):
                lever[i] *= np.exp(size * x * (1 - leak[s.at[action.actor]]))
    return out


def each(actions, effects):
    """Every effect of every action, with its drawn size and its intensity as a function of the month's number."""
    for action in actions:
        points = [(12 * int(m[:4]) + int(m[5:]) - 1, v) for m, v in action.path]
        for effect in action.effects:
            yield action, effect, effects[action.name, effect.lever], lambda n, q=points: straight(q, n)
        if action.anticipation is not None:
            year, month = action.announced.split("-")
            told = 12 * int(year) + int(month) - 1
            size = effects[action.name, action.anticipation.lever]
            yield action, action.anticipation, size, lambda n, q=points, t=told: float(t <= n < q[0][0])


def straight(points, n):
    """0 before the first point, straight lines between points, the last value after."""
    if n < points[0][0]:
        return 0.0
    for (a, x), (b, y) in pairwise(points):
        if a <= n < b:
            return x + (y - x) * (n - a) / (b - a)
    return points[-1][1]


def costs_of_entry(s, d, regime, m, volume, capacity):
    """Roads (through, death, price, share) and costs of passage, work and visit in years of income, by corridor."""
    p, out = s.p, []
    for c in range(len(s.pairs)):
        income = d["income_usd"][s.from_[c]] * m.get("income_origin", np.ones(len(s.pairs)))[c]
        roads, logs = {}, []
        for r, legs, _, (mean, sd), (size, size_sd) in s.roads[c]:
            kinds = [MODES.index(s.legs[leg][2]) for leg in legs]
            caught = sum(
                p["interception"][k] * lever(m, "interception", leg) for k, leg in zip(kinds, legs, strict=True)
            )
            killed = sum(p["danger"][k] * lever(m, "danger", leg) for k, leg in zip(kinds, legs, strict=True))
            through, death = np.exp(-caught), 1 - np.exp(-killed)
            base = np.exp(mean + p["price_error"] * sd)
            base *= np.exp(np.mean([np.log(lever(m, "passage_price", leg)) for leg in legs]))
            limit = capacity[c, r] * np.exp(size + p["capacity_error"] * size_sd)
            price = base * (1 + (volume[c, r] / limit) ** p["congestion"])
            cost = price / income + p["passage_loss"] * (1 - through) + p["danger_value"] * death
            roads[r] = [through, death, price, np.exp(-p["road_choice"] * cost)]
            logs.append(roads[r][3])
        for road in roads.values():
            road[3] /= sum(logs)
        passage = -np.log(sum(logs)) / p["road_choice"] if logs else 0.0
        work = p["cost_work"][regime[c]] * lever(m, "cost_work", c)
        visit = p["cost_visit"][regime[c]] * lever(m, "cost_visit", c)
        out.append((roads, {"passage": passage, "work": work, "visit": visit}))
    return out


def lever(m, name, i):
    """Multiplier of a lever for one member: 1 where nothing moves it."""
    return m[name][i] if name in m else 1.0


def log_odds(s, d, regime, m, costs):
    """Log odds of the five channels inside each corridor; minus infinity where there is no road."""
    p, out = s.p, []
    slope = p["beta_cost"] / p["nest"]
    for c in range(len(s.pairs)):
        o, t, g = s.from_[c], s.to[c], regime[c]
        cheap = [np.log(d["income_usd"][i] / d["income_ppp"][i]) for i in (t, o)]
        pull, odds = p["pull_destination"][t] + p["pull_corridor"][c], p["channel_nest"]
        labour = pull + odds * (s.labour_effect[c] + p["labour_destination"][t] + p["labour_origin"][o])
        labour += p["beta_exchange"] / p["nest"] * (cheap[0] - cheap[1]) + np.log(lever(m, "demand_labour", c))
        settle = pull + odds * (p["settle_mean"] + np.log(lever(m, "open_settle", c)))
        settle -= slope * p["cost_settle"] * lever(m, "cost_settle", c)
        work = labour + odds * (p["work_regime"][g] + np.log(lever(m, "open_work", c))) - slope * costs[c][1]["work"]
        visit = (
            labour + odds * (p["visit_regime"][g] + np.log(lever(m, "open_visit", c))) - slope * costs[c][1]["visit"]
        )
        asylum = pull + odds * (p["asylum_mean"] + s.asylum_effect[c] + np.log(lever(m, "open_asylum", c)))
        asylum -= slope * p["cost_asylum"]
        passage = -np.inf
        if costs[c][0]:
            passage = labour + odds * (p["passage_regime"][g] + np.log(lever(m, "open_passage", c)))
            passage -= slope * costs[c][1]["passage"]
        out.append([settle, work, visit, asylum, passage])
    return np.array(out)


def pulls(s, d, m, odds, people):
    """Weight of each corridor in the destination nest of its origin."""
    p, out = s.p, []
    for c in range(len(s.pairs)):
        o, t = s.from_[c], s.to[c]
        inside = p["channel_nest"] * np.log(np.sum(np.exp(odds[c] / p["channel_nest"])))
        pay = [np.log(d["income_ppp"][i] * d["employment"][i]) for i in (t, o)]
        pay[1] += np.log(lever(m, "income_origin", c))
        first = (1 - p["beta_network"]) * np.log(1 + np.exp(s.stock_log[c]) / p["network_scale"])
        network = p["beta_network"] * np.log(1 + people[c].sum() / p["network_scale"])
        out.append(np.exp(inside + first + network + p["beta_wage"] / p["nest"] * (pay[0] - pay[1])))
    return np.array(out)


def hazards_of_change(s, regime, m, c):
    """Monthly hazards (from, to): rate, and the probability of recognition."""
    p, g = s.p, regime[c]
    odds = np.exp(s.record[c] + p["recognition_shift"]) * lever(m, "recognition", c)
    yes = odds / (1 + odds)
    decide = p["decision"] * lever(m, "decision_speed", c)
    expire = p["overstay"][g] * lever(m, "overstay", c)
    regular = p["regularisation"] * lever(m, "regularisation", c)
    return yes, {
        (WORKER, RESIDENT): p["settle_in"][g] * lever(m, "settle_in", c),
        (WORKER, BREACH): p["breach"][g] * lever(m, "breach", c),
        (VISITOR, WORKER): p["permit"][g] * lever(m, "open_work", c),
        (VISITOR, OVERSTAYER): expire,
        (VISITOR, UNAUTHORISED): p["unauthorised_work"][g] * lever(m, "unauthorised_work", c),
        (UNAUTHORISED, OVERSTAYER): expire,
        (PROTECTED, RESIDENT): p["settle_protected"],
        (PENDING, PROTECTED): decide * yes,
        (PENDING, REFUSED): decide * (1 - yes),
        (CLANDESTINE, PENDING): p["claim"] * lever(m, "open_asylum", c) * yes,
        **{(status, WORKER): regular for status in IRREGULAR},
    }


def hazards_of_exit(s, d, regime, m, c, dearer, relative):
    """Monthly hazards (status, exit): return, removal, onward, naturalisation, death."""
    p, g = s.p, regime[c]
    pay = np.exp(-p["return_wage"] * relative)
    keep = {name: np.exp(-p["reentry"] * dearer[name]) for name in dearer}
    back = {
        RESIDENT: p["return_resident"] * np.exp(p["return_origin"][s.from_[c]] + p["return_destination"][s.to[c]]),
        WORKER: p["return_worker"][g] * keep["work"] * pay,
        VISITOR: p["return_visitor"][g] * keep["visit"] * pay,
        PROTECTED: p["return_protected"],
        PENDING: p["return_pending"],
        CLANDESTINE: p["return_irregular"] * keep["passage"] * pay,
        **dict.fromkeys((OVERSTAYER, UNAUTHORISED, BREACH), p["return_irregular"] * keep["visit"] * pay),
        REFUSED: p["return_irregular"],
    }
    odds = p["removability"] / (1 - p["removability"]) * lever(m, "removability", c)
    removed = p["detection"] * lever(m, "detection", c) * odds / (1 + odds)
    out = {}
    for status in range(10):
        out[status, "return"] = back[status] * lever(
            m, "return_irregular" if status in IRREGULAR else "return_regular", c
        )
        out[status, "death"] = p["mortality"] * d["death_rate"][s.to[c]]
        if status in IRREGULAR:
            out[status, "removal"] = removed
        if status in IRREGULAR or status == PENDING:
            out[status, "onward"] = p["onward"] * lever(m, "onward", c)
    out[RESIDENT, "naturalisation"] = p["naturalisation"] * lever(m, "naturalisation", c)
    return out


def relative_pay(s, d, m, c):
    """Log earnings of the destination over the origin, in dollars."""
    pay = [np.log(d["income_usd"][i] * d["employment"][i]) for i in (s.to[c], s.from_[c])]
    return pay[0] - pay[1] - np.log(lever(m, "income_origin", c))


def workforce(people):
    """People who live from work abroad, by corridor."""
    return people[:, WORKER] + people[:, VISITOR] + people[:, list(IRREGULAR)].sum(axis=1)


def month(s, d, growth, regime, m, state, first):
    """One month: (people, home, volume, capacity) after it, and its accounts."""
    people, home, volume, capacity = state
    corridors, places = range(len(s.pairs)), range(len(s.places))
    p = s.p
    costs = costs_of_entry(s, d, regime, m, volume, capacity)
    odds = log_odds(s, d, regime, m, costs)
    pull = pulls(s, d, m, odds, people)
    total = [sum(pull[c] for c in corridors if s.from_[c] == i) for i in places]
    share = [pull[c] / total[s.from_[c]] for c in corridors]

    # Leaving: hazard of the origin, competing between corridors
    hazard = np.zeros(len(s.pairs))
    for c in corridors:
        o = s.from_[c]
        conflict = d["conflict"][o] * lever(m, "conflict", c)
        push = p["level"][o] + p["beta_conflict"] * np.log(1 + conflict)
        gain = (total[o] / first["pull"][o]) ** p["nest"] if first["pull"] is not None else 1.0
        hazard[c] = first["rate"][o] * np.exp(push) * gain * share[c] * lever(m, "departures", c)
    leaving = np.zeros(len(s.pairs))
    for c in corridors:
        all_of_origin = sum(hazard[b] for b in corridors if s.from_[b] == s.from_[c])
        if all_of_origin > 0:
            leaving[c] = home[s.from_[c]] * (1 - np.exp(-all_of_origin)) * hazard[c] / all_of_origin

    # Channels, and the quota
    entries, unmet = np.zeros((len(s.pairs), 5)), np.zeros(len(s.pairs))
    for c in corridors:
        weight = np.exp(odds[c] / p["channel_nest"])
        wanted = leaving[c] * weight / weight.sum()
        unmet[c] = max(wanted[WORK] - s.quota[c] * lever(m, "quota_work", c), 0.0)
        without = np.where(np.arange(5) == WORK, 0.0, weight)
        entries[c] = wanted + unmet[c] * without / without.sum()
        entries[c, WORK] -= unmet[c]

    # Passage
    arrived, back, stranded = (np.zeros(len(s.pairs)) for _ in range(3))
    tries = {name: np.zeros(volume.shape) for name in ("attempts", "caught", "dead", "set_out", "price", "stranded")}
    transit = np.zeros(len(s.places))
    for c in corridors:
        odds_again = p["retry"] / (1 - p["retry"]) * lever(m, "retry", c)
        again = odds_again / (1 + odds_again)
        for r, _, between, *_ in s.roads[c]:
            through, death, price, part = costs[c][0][r]
            out, done = entries[c, PASSAGE] * part, 0.0
            tries["set_out"][c, r], tries["price"][c, r] = out, price
            while out > 1e-14 * entries[c, PASSAGE]:  # attempt after attempt, until nobody tries again
                done += out
                caught = out * (1 - death) * (1 - through)
                tries["dead"][c, r] += out * death
                arrived[c] += out * (1 - death) * through
                tries["caught"][c, r] += caught
                given_up = caught * (1 - again)
                held = given_up * p["strand"]
                there = (s.pairs[c][0], between[-1]) if between else None
                if there in s.index:
                    stranded[s.index[there]] += held
                    tries["stranded"][c, r] += held
                else:
                    back[c] += held
                back[c] += given_up - held
                out = caught * again
            tries["attempts"][c, r] = done
            for place in between:
                transit[s.at[place]] += done

    # Status and exits. Hazards compete; who comes, or changes status, does so evenly over the month, and faces the
    # hazards of where they are for what is left of it.
    come = np.zeros((len(s.pairs), 10))
    come[:, RESIDENT], come[:, WORKER], come[:, VISITOR] = entries[:, SETTLE], entries[:, WORK], entries[:, VISIT]
    come[:, PENDING], come[:, CLANDESTINE] = entries[:, ASYLUM], arrived + stranded
    after, present = np.zeros((len(s.pairs), 10)), np.zeros((len(s.pairs), 10))
    account = {name: np.zeros(len(s.pairs)) for name in FLOWS}
    gone_on, gap = np.zeros(len(s.pairs)), np.zeros(len(s.pairs))
    for c in corridors:
        _, changes = hazards_of_change(s, regime, m, c)
        dearer = {name: costs[c][1][name] - first["costs"][c][name] for name in costs[c][1]}
        exits = hazards_of_exit(s, d, regime, m, c, dearer, relative_pay(s, d, m, c) - first["relative"][c])
        whole_rate = np.zeros(10)
        for (status, _), h in [*changes.items(), *exits.items()]:
            whole_rate[status] += h
        there = (1 - np.exp(-whole_rate)) / whole_rate  # mean share of the month, of those there at its beginning
        coming = (1 - there) / whole_rate  # the same of those who come during it
        now = people[c] * there + come[c] * coming
        changed = np.zeros(10)
        for (a, b), h in changes.items():
            changed[b] += h * now[a]
        present[c] = now + changed * coming
        after[c] = people[c] + come[c]
        into = arrived[c] + stranded[c]
        for (status, where), h in changes.items():
            some = h * present[c, status]
            after[c, status] -= some
            after[c, where] += some
            if status in IRREGULAR and where == WORKER:
                account["regularised"][c] += some
            elif (status, where) == (PENDING, PROTECTED):
                account["recognised"][c] += some
            elif (status, where) == (PENDING, REFUSED):
                account["refused"][c] += some
            if where in IRREGULAR and status not in IRREGULAR:
                into += some
        for (status, where), h in exits.items():
            some = h * present[c, status]
            after[c, status] -= some
            back[c] += some if where in ("return", "removal") else 0.0
            gone_on[c] += some if where == "onward" else 0.0
            name = {"return": "returns", "removal": "removals", "naturalisation": "naturalised",
                    "death": "deaths", "onward": "onward"}[where]  # fmt: skip
            account[name][c] += some
        account["irregular_inflow"][c] = into

    # Onward: to the other destinations of the origin, by the shares of those who leave it now
    came_on = np.zeros(len(s.pairs))
    for c in corridors:
        others = [b for b in corridors if s.from_[b] == s.from_[c] and b != c]
        if not others:
            back[c] += gone_on[c]
        for b in others:
            came_on[b] += gone_on[c] * share[b] / (1 - share[c])
    after[:, CLANDESTINE] += came_on
    account["irregular_inflow"] += came_on

    # Home, market, accounts
    new_home = np.array([
        home[i] * np.exp(growth[i]) + sum(back[c] - leaving[c] for c in corridors if s.from_[c] == i) for i in places
    ])  # fmt: skip
    noticed = volume + (tries["attempts"] - volume) * (1 - np.exp(-1 / p["volume_memory"]))
    recovered = capacity.copy()
    for c in corridors:
        for r, legs, *_ in s.roads[c]:
            ceiling = np.prod([lever(m, "capacity", leg) for leg in legs])
            back_up = capacity[c, r] + (ceiling - capacity[c, r]) * (1 - 2 ** (-1 / p["recovery"]))
            recovered[c, r] = min(back_up, ceiling)
    wanted = np.zeros(len(s.places))
    for c in corridors:
        t = s.to[c]
        income = d["income_usd"][t]
        hidden = present[c, list(IRREGULAR)].sum()
        sent = p["remit_labour"] * workforce(present)[c] + p["remit_resident"] * present[c, RESIDENT]
        sent *= np.exp(p["remit_origin"][s.from_[c]]) * lever(m, "remittance_rate", c) * income / 12 / 1e6
        spent = p["cost_removal"] * account["removals"][c] + p["cost_interception"] * tries["caught"][c].sum()
        spent += p["cost_reception"] * present[c, PENDING]
        account["attempts"][c] = tries["attempts"][c].sum()
        account["interceptions"][c] = tries["caught"][c].sum()
        account["stranded"][c] = tries["stranded"][c].sum()
        account["deaths_on_road"][c] = tries["dead"][c].sum()
        account["detections"][c] = hidden * p["detection"] * lever(m, "detection", c)
        account["exposure"][c] = hidden * p["exploitation"] * lever(m, "exploitation", c)
        account["remittances"][c], account["public_cost"][c] = sent, spent * income / 1e6
        account["quota_unmet"][c] = unmet[c]
        need, _ = hazards_of_change(s, regime, {}, c)  # whatever an instrument does to decisions
        gap[c] = need * (after[c, CLANDESTINE] + after[c, OVERSTAYER] + after[c, REFUSED])
        bigger = d["working_age"][t] / first["working_age"][t]
        wanted[t] += first["labour"][c] * bigger * lever(m, "demand_labour", c)
    filled = np.array([sum(workforce(after)[c] for c in corridors if s.to[c] == i) for i in places])
    return (after, new_home, noticed, recovered), {
        "entries": entries,
        "flows": np.stack([account[name] for name in FLOWS], axis=-1),
        "volume": tries["set_out"],
        "revenue": tries["set_out"] * tries["price"],
        "transit": transit,
        "unfilled_demand": np.maximum(wanted - filled, 0.0),
        "protection_gap": gap,
        "people": after,
        "home": new_home,
    }


def against(s, d, regime, state, rate, pull):
    """What later months are measured against."""
    costs = costs_of_entry(s, d, regime, {}, state[2], state[3])
    return {
        "rate": rate,
        "pull": pull,
        "costs": [c[1] for c in costs],
        "relative": [relative_pay(s, d, {}, c) for c in range(len(s.pairs))],
        "labour": workforce(state[0]),
        "working_age": d["working_age"],
    }


def begin(s, d, regime):
    """First state: the counts that the data give, and labour after a spin-up under the drivers of the first month."""
    people = np.zeros((len(s.pairs), 10))
    people[:, RESIDENT] = np.exp(s.stock_log + s.p["stock_error"] * s.stock_sd)
    people[:, PROTECTED], people[:, PENDING] = s.protected, s.pending
    home = d["working_age"]
    abroad = [sum(people[c, RESIDENT] for c in range(len(s.pairs)) if s.from_[c] == i) for i in range(len(s.places))]
    rate = [a / h if h > 0 else 0.0 for a, h in zip(abroad, home, strict=True)]
    roads = (len(s.pairs), 3)
    state = (people, home, np.zeros(roads), np.ones(roads))
    first = against(s, d, regime, state, rate, None)
    for _ in range(SPIN_UP):
        new, _ = month(s, d, np.zeros(len(s.places)), regime, {}, state, first)
        held = new[0].copy()
        for status in (RESIDENT, PROTECTED, PENDING):
            held[:, status] = people[:, status]
        state = (held, home, new[2], new[3])
    costs = costs_of_entry(s, d, regime, {}, state[2], state[3])
    pull = pulls(s, d, {}, log_odds(s, d, regime, {}, costs), state[0])
    total = [sum(pull[c] for c in range(len(s.pairs)) if s.from_[c] == i) for i in range(len(s.places))]
    return state, against(s, d, regime, state, rate, total)


def run(s, drivers, regimes, actions, effects, start):
    """Every month of one draw."""
    months = len(regimes)
    number = 12 * int(start[:4]) + int(start[5:]) - 1
    at = [{name: path[t] for name, path in drivers.items()} for t in range(months)]
    state, first = begin(s, at[0], regimes[0])
    out = []
    for t in range(months):
        one = min(t, months - 2)  # the last month grows like the one before
        grows = np.log(at[one + 1]["working_age"] / at[one]["working_age"])
        state, accounts = month(s, at[t], grows, regimes[t], multipliers(s, actions, effects, number + t), state, first)
        out.append(accounts)
    return {name: np.stack([a[name] for a in out]) for name in out[0]}


def fixed(lever_name, size, side=None):
    return Effect(lever_name, ((1.0, size, 0.0),), side)


def drawn(lever_name, mean, sd, side=None):
    return Effect(lever_name, ((0.7, mean, sd), (0.3, 0.0, sd)), side)


ACTIONS = (
    Action("fence", "KAZ", path=(("2010-04", 0.2), ("2010-10", 0.9)), effects=(
        drawn("interception", 0.8, 0.3), fixed("danger", 0.5), drawn("passage_price", 0.4, 0.2), fixed("retry", -0.3))),
    Action("sweep", "RUS", path=(("2010-06", 1.0), ("2010-12", 1.0), ("2011-03", 0.0)), effects=(
        fixed("capacity", -1.5), fixed("detection", 0.7), fixed("removability", 0.6), fixed("overstay", -0.2))),
    Action("amnesty", "RUS", "TJK", path=(("2011-01", 1.0), ("2011-04", 1.0), ("2011-04", 0.0)), effects=(
        drawn("regularisation", 3.0, 0.2), fixed("settle_in", 0.4), fixed("naturalisation", 1.0))),
    Action("visas", "KAZ", "KGZ", path=(("2010-09", 1.0),), announced="2010-05", effects=(
        fixed("open_visit", -1.0), fixed("open_work", -0.6), fixed("cost_visit", 0.9), fixed("cost_work", 0.5),
        fixed("breach", 0.3), fixed("unauthorised_work", 0.4), fixed("cost_settle", 0.2), fixed("open_settle", -0.3)),
        anticipation=fixed("departures", 0.25, "destination")),
    Action("asylum law", "KAZ", path=(("2010-03", 0.5), ("2011-12", 1.0)), effects=(
        fixed("recognition", 0.9), fixed("decision_speed", 0.7), fixed("open_asylum", 0.5), fixed("onward", -0.4))),
    Action("quota", "RUS", path=(("2010-01", 0.0), ("2011-06", 1.0)), effects=(
        fixed("quota_work", -1.2), fixed("demand_labour", 0.3), fixed("exploitation", -0.5))),
    Action("at home", "TJK", path=(("2010-02", 1.0),), effects=(
        fixed("income_origin", 0.2), fixed("departures", -0.1), fixed("conflict", -1.0),
        fixed("open_passage", 0.4, "origin"))),
    Action("help to return", "RUS", path=(("2010-08", 0.6),), effects=(
        fixed("return_irregular", 0.5), fixed("return_regular", -0.2), fixed("remittance_rate", 0.1))),
    Action("clean hands", "RUS", path=(("2010-01", 0.0), ("2011-12", 1.0)), effects=(fixed("leakage", -1.0),)),
)  # fmt: skip
QUOTAS = {("TJK", "RUS"): 300.0, ("KGZ", "KAZ"): 50.0}


@pytest.fixture(scope="module")
def system():
    return model(whole(), quotas=QUOTAS)


@pytest.mark.parametrize("actions", [(), ACTIONS], ids=["present policies", "many instruments"])
def test_24_months_agree_with_a_plain_numpy_month(system, actions):
    engine = run_engine(system, actions, start="2010-01", end="2011-12", draws=2, seed=11)
    natural = system.layout.values(engine["vectors"])
    for draw in range(2):
        p = {name: value[draw] for name, value in natural.items()}
        drawn_sizes = {
            (a.name, e.lever): e.draws(2, 11, a.name)[draw]
            for a in actions
            for e in (*a.effects, *((a.anticipation,) if a.anticipation else ()))
        }
        s = Setting(system, p, "2010-01")
        mine = run(s, engine["drivers"], engine["regimes"], actions, drawn_sizes, "2010-01")
        for name, expected in mine.items():
            scale = np.abs(expected).max(axis=0, keepdims=True)
            np.testing.assert_allclose(
                engine[name][draw], expected, rtol=1e-6, atol=1e-9 * scale.max(), err_msg=f"{name}, draw {draw}"
            )


def test_the_month_compared_has_something_of_everything(system):
    """The comparison is worth what happens in it: every account moves, and the quota binds."""
    engine = run_engine(system, ACTIONS, draws=2, seed=11)
    moved = np.abs(engine["flows"]).sum(axis=(0, 1, 2))
    assert (moved > 0).all(), [n for n, v in zip(FLOWS, moved, strict=True) if v == 0]
    for name in ("entries", "volume", "revenue", "transit", "unfilled_demand", "protection_gap"):
        assert engine[name].sum() > 0
