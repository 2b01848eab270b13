"""scan: a state machine over ordered rows, one record per partition and round of a recursive relation.

Each round takes the next row of every partition and computes, in nested SELECTs so that each builds on the one below:
which steps are entered from the step before (check 1), what that leaves of each step's state, which steps go on or
begin (check 2), the values assigned, the new state. Step k's state remembers the columns that later expressions read of
steps 1 to k. Rows come out of the rounds where steps matched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block, OrderKey, referenced, unique_names
from vedette.kql.sql.literals import SQL_TYPES, default
from vedette.kql.sql.relations import Relations, step
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

_Values = dict[str, Sql]


@step(plan.ScanSteps)
def _scan(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.ScanSteps)
    if emitter.nested:
        raise UnsupportedError("scan", "it cannot run for each record of mv-apply")
    return _Machine(emitter, node).run(block)


class _Machine:
    """One scan. Names of its columns: `_row _place _part`, inputs `i0…`; of step k `a active, m match, r run, h hit, d
    declared`, and `v_k_j_c`: column c of step j as the state of step k has it."""

    def __init__(self, emitter: Relations, node: plan.ScanSteps) -> None:
        self.emitter = emitter
        self.node = node
        self.steps = node.steps
        self.inputs = node.input.columns
        self.declared = [column for column, _ in node.declared]
        self.remembered = self._remembered()

    def _remembered(self) -> list[list[int]]:
        """Per step the places of the columns that some expression reads of it."""
        expressions = [e for s in self.steps for e in (s.condition, *(value for _, value in s.assignments))]
        read = referenced(expressions)
        return [[place for place, column in enumerate(state) if column.id in read] for state in self.node.states]

    def _kept(self, step_: int) -> Iterator[tuple[int, int]]:
        """What the state of a step holds: (step, place of a column)."""
        for earlier in range(step_ + 1):
            for place in self.remembered[earlier]:
                yield earlier, place

    # --- the whole

    def run(self, block: Block) -> Block:
        rows = self._rows(block)
        rounds = self.emitter.recursion(
            self._names(),
            lambda name: exp.Union(this=self._begin(rows), expression=self._round(name, rows), distinct=False),
        )
        return self._result(rounds)

    def _rows(self, block: Block) -> str:
        """The input under short names, with the place of each row and its place within its partition."""
        if block.limit is not None:
            block = self.emitter.closed(block, self.inputs)
        block = self.emitter.prepared(block, self.inputs, self.node.partition)
        keys = self.emitter.scalars(block).values(self.node.partition)
        order = [key.ordered() for key in block.order]
        number = tree.call("row_number")
        part = tree.over(tree.call("dense_rank"), order=[tree.ordered(key, False, True) for key in keys])
        items = [tree.aliased(block.bindings[each.id], f"i{place}") for place, each in enumerate(self.inputs)]
        items += [
            tree.aliased(tree.over(number, order=order), "_row"),
            tree.aliased(tree.over(number, keys, order), "_place"),
            tree.aliased(part if keys else tree.number(1), "_part"),
        ]
        return self.emitter.materialized(block.select(items, ordered=False))

    def _names(self) -> list[str]:
        names = ["_part", "_place", "_row", "_matches", *(f"i{place}" for place in range(len(self.inputs)))]
        for k in range(len(self.steps)):
            names += [f"a{k}", f"m{k}", f"r{k}", f"h{k}", *(f"d{k}_{place}" for place in range(len(self.declared)))]
            names += [_state(k, *each) for each in self._kept(k)]
        return names

    def _begin(self, rows: str) -> exp.Select:
        """Before the first row of each partition nothing is known. The types of columns are set here."""
        values: _Values = {
            "_part": tree.column("_part", rows),
            "_place": _long(0),
            "_row": _long(0),
            "_matches": _long(0),
        }
        for place, column in enumerate(self.inputs):
            values[f"i{place}"] = tree.null(SQL_TYPES[column.type])
        for k in range(len(self.steps)):
            values |= {f"a{k}": tree.boolean(False), f"m{k}": _long(0), f"r{k}": _long(0), f"h{k}": tree.boolean(False)}
            for place, column in enumerate(self.declared):
                values[f"d{k}_{place}"] = tree.null(SQL_TYPES[column.type])
            for j, place in self._kept(k):
                values[_state(k, j, place)] = self._initial(j, place)
        query = self._select(values).from_(_table(rows))
        query.set("distinct", exp.Distinct())
        return query

    def _initial(self, j: int, place: int) -> Sql:
        """What a step's column is as long as nothing has matched: a declared one's default, else null."""
        column = self.node.states[j][place]
        if place >= len(self.inputs):
            value = self.emitter.constant(self.node.declared[place - len(self.inputs)][1])
            return tree.cast(value, SQL_TYPES[column.type])
        return tree.cast(default(column.type), SQL_TYPES[column.type])

    def _select(self, values: _Values) -> exp.Select:
        return exp.Select(expressions=[tree.aliased(values[name], name) for name in self._names()])

    # --- one round, from the inside out

    def _round(self, name: str, rows: str) -> exp.Select:
        before = [each for each in self._names() if each[0] in "amrv" or each == "_matches"]
        items: list[Sql] = [tree.column(each, name) for each in before]
        items += [tree.column(each, rows) for each in self._row_names()]
        query: exp.Select = exp.Select(expressions=items).from_(_table(name))
        next_row = tree.both(
            tree.equal(tree.column("_part", rows), tree.column("_part", name)),
            tree.equal(tree.column("_place", rows), tree.binary(exp.Add, tree.column("_place", name), tree.number(1))),
        )
        query.append("joins", exp.Join(this=_table(rows), on=next_row))
        for layer in (self._entered, self._cleared, self._went_on, self._assigned):
            query = self._over(query, layer)
        return self._final(query)

    def _row_names(self) -> list[str]:
        return ["_part", "_place", "_row", *(f"i{place}" for place in range(len(self.inputs)))]

    def _over(self, inner: exp.Select, layer: Callable[[str], _Values]) -> exp.Select:
        """The columns so far and those of the layer, which replace columns of their name."""
        alias = self.emitter.alias()
        new = layer(alias)
        kept = [each.alias_or_name for each in inner.expressions if each.alias_or_name not in new]
        items = [tree.column(each, alias) for each in kept]
        items += [tree.aliased(value, name) for name, value in new.items()]
        return exp.Select(expressions=items).from_(_subquery(inner, alias))

    def _entered(self, alias: str) -> _Values:
        """Check 1: the step before is active, and the row meets the condition in the state of that one."""
        values: _Values = {"e0": tree.boolean(False)}
        for k in range(1, len(self.steps)):
            condition = self._scalars(alias, k, state=k - 1).condition(self.steps[k].condition)
            values[f"e{k}"] = tree.both(tree.column(f"a{k - 1}", alias), _true(condition))
        return values

    def _cleared(self, alias: str) -> _Values:
        """Where the step behind was entered, a step's state has moved on. What it was is kept for that one, as `p…`."""
        values: _Values = {}
        for k in range(len(self.steps) - 1):
            moved = tree.column(f"e{k + 1}", alias)
            values[f"a{k}"] = tree.both(tree.column(f"a{k}", alias), tree.negation(moved))
            values[f"pm{k}"] = tree.column(f"m{k}", alias)
            for j, place in self._kept(k):
                old = tree.column(_state(k, j, place), alias)
                values["p" + _state(k, j, place)] = old
                values[_state(k, j, place)] = tree.when([(moved, self._initial(j, place))], old)
        return values

    def _went_on(self, alias: str) -> _Values:
        """Check 2: the step is active, or the first, and the row meets the condition in its own state."""
        values: _Values = {}
        for k, each in enumerate(self.steps):
            condition = _true(self._scalars(alias, k, state=k).condition(each.condition))
            fresh = tree.negation(tree.column(f"e{k}", alias))
            values[f"g{k}"] = tree.both(fresh, condition) if k == 0 else tree.both(
                fresh, tree.column(f"a{k}", alias), condition
            )  # fmt: skip
        return values

    def _assigned(self, alias: str) -> _Values:
        """Values of declared columns of the rows that matched, and which sequence and run they belong to."""
        values: _Values = {}
        for k, each in enumerate(self.steps):
            entered = tree.column(f"e{k}", alias)
            assigned = {column.id: value for column, value in each.assignments}
            for place, column in enumerate(self.declared):
                values[f"d{k}_{place}"] = self._value(alias, k, place, assigned.get(column.id), entered)
            values[f"h{k}"] = tree.either(entered, tree.column(f"g{k}", alias))
            begins = tree.both(tree.column(f"g{k}", alias), tree.negation(tree.column(f"a{k}", alias)))
            values[f"r{k}"] = tree.when(
                [(tree.either(entered, begins), _plus_one(f"r{k}", alias))], tree.column(f"r{k}", alias)
            )
            if k == 0:
                values["_matches"] = tree.when([(begins, _plus_one("_matches", alias))], tree.column("_matches", alias))
                values["m0"] = tree.when([(begins, tree.column("_matches", alias))], tree.column("m0", alias))
            else:
                values[f"m{k}"] = tree.when([(entered, tree.column(f"pm{k - 1}", alias))], tree.column(f"m{k}", alias))
        return values

    def _value(self, alias: str, k: int, place: int, expression: Expression | None, entered: Sql) -> Sql:
        column = self.declared[place]
        if expression is None:
            return self._initial(k, len(self.inputs) + place)
        own = self._scalars(alias, k, state=k).value(expression)
        if k == 0:
            return tree.cast(own, SQL_TYPES[column.type])
        promoted = self._scalars(alias, k, state=k - 1, mark="p").value(expression)
        return tree.cast(tree.when([(entered, promoted)], own), SQL_TYPES[column.type])

    def _final(self, inner: exp.Select) -> exp.Select:
        """The new state: of earlier steps as it was promoted, of the step itself the row."""
        alias = self.emitter.alias()
        values: _Values = {name: tree.column(name, alias) for name in self._names() if name[0] in "_imrhd"}
        for k in range(len(self.steps)):
            hit, entered = tree.column(f"h{k}", alias), tree.column(f"e{k}", alias)
            values[f"a{k}"] = tree.either(hit, tree.column(f"a{k}", alias))
            for j, place in self._kept(k):
                name = _state(k, j, place)
                values[name] = tree.when(
                    [(hit, self._of_row(alias, k, place))] if j == k
                    else [(entered, tree.column("p" + _state(k - 1, j, place), alias))],
                    tree.column(name, alias),
                )  # fmt: skip
        return self._select(values).from_(_subquery(inner, alias))

    def _of_row(self, alias: str, k: int, place: int) -> Sql:
        if place < len(self.inputs):
            return tree.column(f"i{place}", alias)
        return tree.column(f"d{k}_{place - len(self.inputs)}", alias)

    def _scalars(self, alias: str, k: int, *, state: int, mark: str = "") -> Scalars:
        """Lowers expressions of step k over a row and the state of step `state`, where that knows steps so far."""
        bindings: dict[int, Sql] = {
            column.id: tree.column(f"i{place}", alias) for place, column in enumerate(self.inputs)
        }
        for place, column in enumerate(self.declared):
            bindings[column.id] = self._initial(k, len(self.inputs) + place)
        for j, columns in enumerate(self.node.states):
            for place in self.remembered[j]:
                known = j <= state
                value = tree.column(mark + _state(state, j, place), alias) if known else self._initial(j, place)
                bindings[columns[place].id] = value
        return Scalars(self.emitter.dialect, bindings, self.emitter)

    # --- what comes out

    def _result(self, rounds: str) -> Block:
        legs = [self._leg(rounds, k) for k, each in enumerate(self.steps) if each.output != "none"]
        columns = list(self.node.columns)
        names = unique_names(columns)
        if not legs:
            empty = [tree.aliased(tree.null(SQL_TYPES[c.type]), n) for c, n in zip(columns, names, strict=True)]
            nothing = exp.Select(expressions=empty).where(tree.boolean(False))
            return self.emitter.relation(nothing, columns, names)
        query: exp.Query = legs[0]
        for each in legs[1:]:
            query = exp.Union(this=query, expression=each, distinct=False)
        row, back = (Column(self.emitter.fresh_column(), name, ScalarType.LONG) for name in ("_row", "_step"))
        result = self.emitter.relation(query, [*columns, row, back], [*names, "_row", "_step"])
        result.order = (
            OrderKey(result.bindings[row.id], False, False),
            OrderKey(result.bindings[back.id], True, False),
        )
        return result

    def _leg(self, rounds: str, k: int) -> exp.Select:
        """The rows that one step sends out; of `last`, the last one of each run."""
        values = [tree.column(f"i{place}", rounds) for place in range(len(self.inputs))]
        values += [tree.column(f"d{k}_{place}", rounds) for place in range(len(self.declared))]
        if self.node.match_id is not None:
            values.append(tree.column(f"m{k}", rounds))
        names = unique_names(self.node.columns)
        items = [tree.aliased(value, name) for value, name in zip(values, names, strict=True)]
        items += [tree.aliased(tree.column("_row", rounds), "_row"), tree.aliased(tree.number(k), "_step")]
        query = exp.Select(expressions=items).from_(_table(rounds)).where(tree.column(f"h{k}", rounds))
        if self.steps[k].output == "last":
            run = [tree.column("_part", rounds), tree.column(f"r{k}", rounds)]
            place = tree.over(tree.call("row_number"), run, [tree.ordered(tree.column("_place", rounds), True, False)])
            query.set("qualify", exp.Qualify(this=tree.equal(place, tree.number(1))))
        return query


def _state(k: int, j: int, place: int) -> str:
    return f"v{k}_{j}_{place}"


def _long(value: int) -> Sql:
    return tree.cast(tree.number(value), "BIGINT")


def _true(condition: Sql) -> Sql:
    return tree.coalesce(condition, tree.boolean(False))


def _plus_one(name: str, alias: str) -> Sql:
    return tree.binary(exp.Add, tree.column(name, alias), tree.number(1))


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.Identifier(this=name))


def _subquery(query: exp.Query, alias: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=alias)))
