"""Fair judging: what judges are asked, how their answers are read, and how verdicts are counted.

Every judge reads the debate twice, in opposite orders and under neutral labels; a winner counts only if
both readings name the same one. All code here is pure; `session.judges` sends the requests.
"""
