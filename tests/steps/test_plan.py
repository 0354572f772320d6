from foxnas_core.steps.plan import not_yet_measured


def test_the_plan_leaves_out_what_is_measured_and_depends_on_the_seed_alone(measured_study):
    space = measured_study.space
    assert not_yet_measured(measured_study, 40, seed=0) == []
    assert not_yet_measured(measured_study, 43, seed=0) == space.sample(43, seed=0)[40:]
