"""Exact values of Connect Four on any board, by alpha-beta on bitboards.

Sources: Pons (2019), "Solving Connect 4: how to build a perfect AI", blog.gamesolver.org: the encoding, scores,
moves that do not lose at once, and the order of moves; Tromp, "John's Connect Four Playground", for the bitboard.

A cell is a bit: column c has bits c * (rows + 1) upwards, the one above its top always 0. A position is the stones of
the side to move, and all stones. The score is Pons's: 0 for a draw, positive where the side to move wins, 1 + the
stones that the winner has left then; so the highest score wins soonest, and the lowest loses last.

Deliberate deviations: bounds of both kinds are kept in the table, fail-soft, and positions meet their mirror images.
"""

from __future__ import annotations

from collections.abc import Sequence

_LOWEST = -1_000


class ConnectFour:
    """Scores the moves of positions on one board.

    Args:
      rows, columns: of the board.
      table_size: how many positions to remember; beyond it the memory begins anew, and scores are the same.
      max_depth: how many plies to look ahead, of which what lies beyond counts as a draw; None for all.
    """

    def __init__(self, rows: int, columns: int, *, table_size: int = 1_000_000, max_depth: int | None = None) -> None:
        self.rows, self.columns = rows, columns
        self.num_nodes = 0
        self._table_size, self._max_depth = table_size, max_depth
        self._height = rows + 1
        self._bottom = sum(1 << column * self._height for column in range(columns))
        self._board = self._bottom * ((1 << rows) - 1)
        by_centre = sorted(range(columns), key=lambda column: abs(2 * column - (columns - 1)))
        self._columns = {column: ((1 << rows) - 1) << (column * self._height) for column in by_centre}
        self._table: dict[int, tuple[int, int]] = {}

    def scores(self, moves: Sequence[int]) -> dict[int, int]:
        """Returns the score of every legal column after `moves` (columns, from the empty board), centre first."""
        mine, stones = 0, 0
        for column in moves:
            mine, stones = mine ^ stones, stones | self._drop(stones, column)
        left = self.rows * self.columns - len(moves)
        return {
            column: self._score(mine, stones, column, left) for column in self._columns if self._drop(stones, column)
        }

    def _drop(self, stones: int, column: int) -> int:
        return (stones + self._bottom) & self._board & self._columns[column]

    def _score(self, mine: int, stones: int, column: int, left: int) -> int:
        """Returns the score of a move, exact however it compares with the others."""
        move = self._drop(stones, column)
        if move & self._winning(mine, stones):
            return (left + 1) // 2
        mine, stones, left = mine ^ stones, stones | move, left - 1
        if self._winning(mine, stones) & (stones + self._bottom):
            return -((left + 1) // 2)
        depth = left if self._max_depth is None else min(left, self._max_depth - 1)
        return -self._search(mine, stones, left, depth, _LOWEST, -_LOWEST)

    def _search(self, mine: int, stones: int, left: int, depth: int, alpha: int, beta: int) -> int:
        """Returns the score of a position in which the side to move cannot win at once: negamax, fail-soft."""
        self.num_nodes += 1
        open_ = (stones + self._bottom) & self._board
        theirs = self._winning(mine ^ stones, stones)
        if forced := open_ & theirs:
            open_ = 0 if forced & (forced - 1) else forced
        open_ &= ~(theirs >> 1)  # never below a cell where they would win
        if not open_:
            return -(left // 2)
        if left <= 2 or depth <= 0:
            return 0
        low, high = -((left - 2) // 2), (left - 1) // 2
        key = self._key(stones, mine) << 10 | depth
        low, high = self._table.get(key, (low, high))
        if low >= beta or low == high:
            return low
        if high <= alpha:
            return high
        alpha, beta = max(alpha, low), min(beta, high)
        lower, best = alpha, _LOWEST
        for move in self._ordered(mine, stones, open_):
            score = -self._search(mine ^ stones, stones | move, left - 1, depth - 1, -beta, -alpha)
            if score > best:
                best = score
                if best >= beta:
                    break
                alpha = max(alpha, best)
        if best > lower:
            low = best
        if best < beta:
            high = best
        if len(self._table) >= self._table_size:
            self._table.clear()
        self._table[key] = (low, high)
        return best

    def _ordered(self, mine: int, stones: int, open_: int) -> list[int]:
        """Returns the moves, those first that threaten most, and of these the most central."""
        moves = [move for column in self._columns.values() if (move := open_ & column)]
        if len(moves) > 1:
            moves.sort(key=lambda move: -self._winning(mine | move, stones | move).bit_count())
        return moves

    def _winning(self, mine: int, stones: int) -> int:
        """Returns the empty cells that complete four of `mine`, whether they can be reached or not."""
        cells = (mine << 1) & (mine << 2) & (mine << 3)
        for shift in (self._height, self._height - 1, self._height + 1):
            two = (mine << shift) & (mine << 2 * shift)
            cells |= two & ((mine << 3 * shift) | (mine >> shift))
            two = (mine >> shift) & (mine >> 2 * shift)
            cells |= two & ((mine >> 3 * shift) | (mine << shift))
        return cells & (self._board ^ stones)

    def _key(self, stones: int, mine: int) -> int:
        """Returns a number that only this position and its mirror image have."""
        key = stones + mine + self._bottom
        rest, mirrored, column = key, 0, (1 << self._height) - 1
        for _ in self._columns:
            mirrored, rest = mirrored << self._height | rest & column, rest >> self._height
        return min(key, mirrored)
