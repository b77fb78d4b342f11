"""The functions of `import arena`, in a process of their own: here all modules are imported already."""

import subprocess
import sys


def test_the_functions_stay_functions_whatever_is_imported(tmp_path):
    code = (
        "import arena\n"
        "first, again = (arena.evaluate('random', 'CartPole-v1', episodes=2) for _ in range(2))\n"
        "assert first.returns == again.returns\n"
        "import arena.evaluation, arena.tournaments.tournament, arena.training\n"
        "from arena.training import Run\n"
        "assert [type(getattr(arena, name)).__name__ for name in arena.__all__] == ['function'] * 6\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
