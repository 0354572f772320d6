"""Files as benchmarks write them: architectures as text, operations by number, -1 for failed."""

import pandas as pd
import pytest
from published_cells import published_cells

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.fbnet.space import OPERATIONS
from foxnas_core.table.importing import ColumnMapping, read_content

CELLS, LAYERS = load_shipped("nasbench201"), load_shipped("fbnet-cifar100")
WORDS = [family_of(CELLS).write(CELLS, a) for a in CELLS.sample(30, seed=0)]


def csv(**columns) -> bytes:
    return pd.DataFrame(columns).to_csv(index=False).encode()


def test_architectures_are_found_by_what_the_column_holds():
    content = csv(n=range(30), cell_arch=WORDS, accuracy=[70.0 + i for i in range(30)])
    file = read_content("cells.csv", content)
    table = file.table(CELLS)
    assert [family_of(CELLS).write(CELLS, a) for a in table.architectures()] == WORDS
    read = file.columns_read(table)
    assert read.known == {"cell_arch": "architecture", "accuracy": "accuracy"}
    assert read.unknown == ("n",)
    assert "Read 'cell_arch' as architecture." in read.sentences()


def test_a_file_says_which_of_two_columns_it_is():
    file = read_content("two.csv", csv(one=WORDS, other=WORDS[::-1], accuracy=[71.5] * 30))
    with pytest.raises(InvalidInput, match="lacks the column 'edge_0_1'"):
        file.table(CELLS)
    told = ColumnMapping({"architecture": "other"})
    assert file.table(CELLS, told).architectures()[0] == family_of(CELLS).read(CELLS, WORDS[-1])


def test_a_cell_that_is_none_is_named_though_the_column_was_recognised():
    words = [*WORDS[:25], "|none~0|+|max_pool~0|none~1|+|none~0|none~1|none~2|", *WORDS[26:]]
    file = read_content("wrong.csv", csv(cell=words, accuracy=[71.5] * 30))
    with pytest.raises(InvalidInput, match=r"wrong.csv, line 27, column 'cell'.*'max_pool'"):
        file.table(CELLS)


def test_numbers_alone_are_no_architectures():
    file = read_content("n.csv", csv(index=map(str, range(30)), accuracy=[71.5] * 30))
    with pytest.raises(InvalidInput, match="lacks the column 'edge_0_1'"):
        file.table(CELLS)


def test_operations_by_number_are_those_by_name():
    drawn = LAYERS.sample(20, seed=3)
    names = pd.DataFrame([a.to_dict() for a in drawn])
    numbers = names.map(OPERATIONS.index)
    latency = {"latency_ms:phone": [10.0 + i for i in range(20)]}
    for choices in (names, numbers):
        content = choices.assign(**latency).to_csv(index=False).encode()
        assert read_content("layers.csv", content).table(LAYERS).architectures() == drawn
    numbers.loc[4, "layer07"] = 9
    content = numbers.assign(**latency).to_csv(index=False).encode()
    with pytest.raises(InvalidInput, match="line 6.*layer07.*9'; allowed: k3_e1, "):
        read_content("layers.csv", content).table(LAYERS)


def test_what_could_not_be_run_is_missing_and_counted():
    tpu = [-1.0, 2.5, -1.0, *[3.0] * 27]
    columns = {"cell": WORDS, "accuracy": [71.5] * 30, "latency_ms:tpu": tpu}
    file = read_content("tpu.csv", csv(**columns))
    table = file.table(CELLS)
    assert table.known("latency_ms:tpu") == 28
    assert table.values("latency_ms:tpu")[1] == 2.5
    read = file.columns_read(table)
    assert read.to_dict()["failed"] == {"latency_ms:tpu": 2}
    assert any("2 rows have -1 as latency_ms:tpu" in sentence for sentence in read.sentences())
    # A quality below its bound stays wrong.
    wrong = read_content("w.csv", csv(cell=WORDS, accuracy=[-1.0, *[71.5] * 29]))
    with pytest.raises(InvalidInput, match="accuracy"):
        wrong.table(CELLS)


def test_the_published_table_is_read_without_a_column_of_choices():
    published = published_cells()
    file = read_content("nb201.csv", published.head(200).to_csv(index=False).encode())
    mapping = ColumnMapping({"accuracy": "test_acc_cifar10"}, {"accuracy": "percent"})
    table = file.table(CELLS, mapping)
    assert len(table) == 200 and table.frame["index"].tolist() == list(range(200))
